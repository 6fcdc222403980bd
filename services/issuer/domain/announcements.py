"""What is told of a guarantee, and as which occasion: telling the same occasion again is the same fact."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from services.issuer.domain.change import Change
from services.issuer.domain.form import Application
from services.issuer.domain.guarantee import Guarantee, Version
from services.issuer.domain.names import PRODUCT_NAMES
from services.issuer.domain.states import STATUS_JA, Status
from shared.messages import Message
from shared.messages.issuer import (
    CertificateCreated,
    ChangeRefused,
    CompletionMail,
    GuaranteeIssued,
    GuaranteeStatusChanged,
    PaperOrdered,
)
from shared.problems import Problem


@dataclass(frozen=True, slots=True)
class Signed:
    """The signed data of one version: its canonical text, the digest of that, and the detached signature."""

    certificate: str
    content_sha256: str
    signature: str


@dataclass(frozen=True, slots=True)
class Telling:
    """A message with its subject and occasion; `to_portal` says whether the application's portal is told as well."""

    message: Message
    subject: str
    occurrence: str
    to_portal: bool = True


def status_change(
    before: Status,
    guarantee: Guarantee,
    today: date,
    at: datetime,
    *,
    anyway: bool = False,
    remarks: tuple[Problem, ...] = (),
) -> tuple[Guarantee, GuaranteeStatusChanged | None]:
    """The guarantee with its change counted, and the message, if its 手続状況 is no longer what it was.

    A version made by a change is told `anyway`: that of a paper certificate, ordered again, has the same 手続状況.
    """
    after, latest = guarantee.status(today), guarantee.latest
    if after is before and not anyway:
        return guarantee, None
    message = GuaranteeStatusChanged(
        portal=guarantee.portal,
        application_id=guarantee.application_id,
        guarantee_number=guarantee.guarantee_number,
        kind=guarantee.kind,
        from_status=before,
        to_status=after,
        status_ja=STATUS_JA[after],
        problems=guarantee.problems,
        remarks=remarks,
        message_from_guarantor=guarantee.message_from_guarantor,
        version=latest.version if latest else None,
        change_id=latest.change_id if latest else None,
        at=at,
    )
    return replace(guarantee, status_no=guarantee.status_no + 1), message


def telling_of_status(guarantee: Guarantee, message: GuaranteeStatusChanged) -> Telling:
    """A change of 手続状況, counted by `status_no`."""
    return Telling(message, guarantee.guarantee_number, str(guarantee.status_no))


def telling_of_certificate(guarantee: Guarantee, version: Version, signed: Signed, concluded_at: datetime) -> Telling:
    """A certificate waits to be posted to the platform; it is made once, so there is one occasion.

    Raises:
        ValueError: if the guarantee has no key; only concluded electronic ones have certificates.
    """
    if guarantee.sealed_auth_key is None:
        raise ValueError("a certificate belongs to a concluded electronic guarantee")
    message = CertificateCreated(
        portal=guarantee.portal,
        application_id=guarantee.application_id,
        guarantee_number=guarantee.guarantee_number,
        version=version.version,
        version_kind=version.kind,
        kind=guarantee.kind,
        concluded_at=concluded_at,
        certificate=signed.certificate,
        content_sha256=signed.content_sha256,
        signature=signed.signature,
        sealed_auth_key=guarantee.sealed_auth_key,
    )
    return Telling(message, _subject(guarantee, version), signed.content_sha256, to_portal=False)


def telling_of_paper(guarantee: Guarantee, version: Version, application: Application) -> Telling:
    """An order to the office; one per version, for the amount that this version says."""
    line = application.line_of(guarantee.kind)
    message = PaperOrdered(
        portal=guarantee.portal,
        application_id=guarantee.application_id,
        guarantee_number=guarantee.guarantee_number,
        kind=guarantee.kind,
        receiving_office=application.receiving_office,
        paper_delivery=application.paper_delivery,
        paper_premium_statement=line.paper_premium_statement,
        version=version.version,
        version_kind=version.kind,
        amount=line.amount if version.particulars is None else version.particulars.amount,
    )
    return Telling(message, _subject(guarantee, version), "1", to_portal=False)


def telling_of_issue(guarantee: Guarantee, version: Version, issued_at: datetime) -> Telling:
    """A version is issued. Wishing for another mail is another occasion, of which the portal needs no second word.

    The mail's ordinal is the occasion: 1 is the arrival itself. Names are those on this version.
    """
    mail, said = version.mail, version.particulars or guarantee
    message = GuaranteeIssued(
        portal=guarantee.portal,
        application_id=guarantee.application_id,
        guarantee_number=guarantee.guarantee_number,
        kind=guarantee.kind,
        version=version.version,
        version_kind=version.kind,
        issued_at=issued_at,
        ordinal=mail.ordinal,
        completion_mail=CompletionMail(wanted=mail.wanted, address=mail.address if mail.wanted else None),
        contractor_name=said.contractor_name,
        obligee_name=said.obligee_name,
        project_name=said.project_name,
        product_name=PRODUCT_NAMES[guarantee.kind],
        change_id=version.change_id,
    )
    return Telling(message, _subject(guarantee, version), str(mail.ordinal), to_portal=mail.ordinal == 1)


def telling_of_refusal(
    portal: str, change: Change, problems: tuple[Problem, ...], at: datetime, occurrence: str = "1"
) -> Telling:
    """A change is refused, once; other content under its id is another occasion."""
    message = ChangeRefused(
        portal=portal,
        change_id=change.change_id,
        guarantee_number=change.guarantee_number,
        problems=problems,
        refused_at=at,
    )
    return Telling(message, f"{portal}/{change.change_id}", occurrence)


def _subject(guarantee: Guarantee, version: Version) -> str:
    return f"{guarantee.guarantee_number}/{version.version}"
