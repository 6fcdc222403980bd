"""One guarantee and everything that can happen to it: each event gives the guarantee after it, or says why not.

A rule that is broken is a value, never an exception: `Repeated` when what the event tells is true already, `Impossible`
when it contradicts what is known.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from services.issuer.domain.certificate import guarantee_until
from services.issuer.domain.form import Application, Line, MailWish
from services.issuer.domain.names import VersionKind
from services.issuer.domain.states import (
    GUARANTEE_TRANSITIONS,
    VERSION_TRANSITIONS,
    GuaranteeEvent,
    GuaranteeState,
    Status,
    VersionEvent,
    VersionState,
    status_of,
)
from shared.messages.intake import CertificateForm, Kind
from shared.problems import Problem

MAILS_PER_VERSION_MAX: Final = 20
"""Far more than honest mending needs; a portal gone wild must not make us flood somebody's mailbox."""

REFUSED_BY_PLATFORM: Final = Problem(
    code="refused_by_platform",
    pointer="",
    message_ja="電子証書がプラットフォームで受け付けられませんでした。弊社で対応しますので、お待ちください。",
    message_en="The platform refused the certificate. The guarantor's office is dealing with it; please wait.",
)


class MailState(StrEnum):
    """What became of the completion mail of a version."""

    NONE = "none"
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Mail:
    """The completion mail of one version.

    Attributes:
        ordinal: how often the version was announced as issued: 0 before it arrived, 1 from then on, and one more for
            every mail wished for again. The mail and the announcement that asks for it have one ordinal.
        refusal: what the mail server said when it refused the last one, for the office.
    """

    wanted: bool = False
    address: str | None = None
    state: MailState = MailState.NONE
    ordinal: int = 0
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a certificate.

    Attributes:
        issued_at: 電子保証発行日時, the platform's arrival time; None before the arrival.
        refusal: what the platform said when it refused, for the office.
    """

    version: int
    kind: VersionKind
    state: VersionState
    mail: Mail
    issued_at: datetime | None = None
    certificate_id: str | None = None
    refused_at: datetime | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A guarantee with the versions of its certificate, the first one first.

    Attributes:
        status_no: how many changes of its 手続状況 were announced; the occurrence of the last of them.
        sealed_auth_key: the 認証キー, sealed; None before conclusion and on paper.
        auth_key_fingerprint: what keeps two guarantees from having one key, without telling the key.
    """

    guarantee_number: str
    portal: str
    application_id: str
    kind: Kind
    certificate_form: CertificateForm
    state: GuaranteeState
    contractor_name: str
    obligee_name: str
    project_name: str
    guarantee_until: date
    status_no: int = 0
    concluded_at: datetime | None = None
    message_from_guarantor: str | None = None
    problems: tuple[Problem, ...] = ()
    sealed_auth_key: str | None = None
    auth_key_fingerprint: bytes | None = None
    versions: tuple[Version, ...] = ()

    @property
    def issued(self) -> Version | None:
        """The latest version that arrived: what people are shown as the present state."""
        return next((version for version in reversed(self.versions) if version.state is VersionState.ARRIVED), None)

    @property
    def correlation(self) -> str:
        """The application that everything about this guarantee belongs to."""
        return f"{self.portal}/{self.application_id}"

    def status(self, today: date) -> Status:
        """手続状況 on this day (Japan)."""
        latest = self.versions[-1].state if self.versions else None
        return status_of(self.state, latest, self.guarantee_until, today)

    def version(self, number: int) -> Version | None:
        """The version of this number, if there is one."""
        return next((version for version in self.versions if version.version == number), None)


@dataclass(frozen=True, slots=True)
class Repeated:
    """What the event tells is true already; nothing changes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """The event contradicts what is known; a person must look at it."""

    code: str
    reason: str


Outcome = Guarantee | Repeated | Impossible

UNKNOWN_GUARANTEE: Final = Impossible("unknown_guarantee", "no guarantee is known by what this fact names")


def requested(
    guarantee_number: str, portal: str, application_id: str, application: Application, line: Line
) -> Guarantee:
    """A line of an accepted application, on its first day."""
    return Guarantee(
        guarantee_number=guarantee_number,
        portal=portal,
        application_id=application_id,
        kind=line.kind,
        certificate_form=line.certificate_form,
        state=GuaranteeState.REQUESTED,
        contractor_name=application.contractor.name,
        obligee_name=application.contract.obligee_name,
        project_name=application.contract.project_name,
        guarantee_until=guarantee_until(application.contract),
    )


def number_given(guarantee: Guarantee) -> Guarantee:
    """The number is given when the line is taken in; from now on the guarantee waits for its conclusion."""
    return replace(guarantee, state=GUARANTEE_TRANSITIONS[guarantee.state, GuaranteeEvent.NUMBER_GIVEN])


def conclude(guarantee: Guarantee, concluded_at: datetime, wish: MailWish, message: str | None = None) -> Outcome:
    """引受 is approved: the guarantee is active and its first version is on its way, or ordered on paper.

    A paper certificate gets no mail, whatever was wished for (domain rule 9).
    """
    state = GUARANTEE_TRANSITIONS.get((guarantee.state, GuaranteeEvent.CONCLUDED))
    if state is None:
        if guarantee.concluded_at is not None:
            return Repeated("it was concluded before")
        return Impossible("contradicts_decision", f"it cannot be concluded, for it is {guarantee.state}")
    if guarantee.certificate_form == "electronic":
        event, mail = VersionEvent.CERTIFICATE_ANNOUNCED, Mail(wish.wanted, wish.address)
    else:
        event, mail = VersionEvent.PAPER_ORDERED, Mail()
    first = Version(1, VersionKind.NEW, VERSION_TRANSITIONS[VersionState.CREATED, event], mail)
    return replace(guarantee, state=state, concluded_at=concluded_at, message_from_guarantor=message, versions=(first,))


def decline(guarantee: Guarantee, problems: tuple[Problem, ...], message: str | None) -> Outcome:
    """The guarantor does not give this guarantee."""
    state = GUARANTEE_TRANSITIONS.get((guarantee.state, GuaranteeEvent.DECLINED))
    if state is None:
        if guarantee.state is GuaranteeState.DECLINED:
            return Repeated("it was declined before")
        return Impossible("contradicts_decision", f"it cannot be declined, for it is {guarantee.state}")
    return replace(guarantee, state=state, problems=problems, message_from_guarantor=message)


def arrive(guarantee: Guarantee, number: int, arrived_at: datetime, certificate_id: str) -> Outcome:
    """The platform holds this version. Its first arrival time is 電子保証発行日時 and stands for ever."""
    version = guarantee.version(number)
    if version is None:
        return _unknown_version(number)
    if version.issued_at is not None:
        same = version.issued_at == arrived_at
        return Repeated("it arrived before" if same else "it arrived before, at another time; the first one stands")
    state = VERSION_TRANSITIONS.get((version.state, VersionEvent.CERTIFICATE_ARRIVED))
    if state is None:
        return _not_in_transit(version)
    mail = replace(version.mail, state=MailState.WAITING if version.mail.wanted else MailState.NONE, ordinal=1)
    arrived = replace(version, state=state, issued_at=arrived_at, certificate_id=certificate_id, mail=mail)
    return replace(_with(guarantee, arrived), problems=())


def refuse(guarantee: Guarantee, number: int, refused_at: datetime, refusal: str) -> Outcome:
    """The platform refused this version for good; the office mends it by a 訂正."""
    version = guarantee.version(number)
    if version is None:
        return _unknown_version(number)
    if version.state is VersionState.REFUSED:
        return Repeated("it was refused before")
    state = VERSION_TRANSITIONS.get((version.state, VersionEvent.CERTIFICATE_REFUSED))
    if state is None:
        return _not_in_transit(version)
    refused = replace(version, state=state, refused_at=refused_at, refusal=refusal)
    return replace(_with(guarantee, refused), problems=(REFUSED_BY_PLATFORM,))


def mail_sent(guarantee: Guarantee, number: int) -> Outcome:
    """A mail server took the completion mail; that stands, whatever is heard of an earlier one."""
    version = _mailed(guarantee, number)
    if isinstance(version, Impossible):
        return version
    if version.mail.state is MailState.SENT:
        return Repeated("a mail was sent before")
    return _with(guarantee, replace(version, mail=replace(version.mail, state=MailState.SENT, refusal=None)))


def mail_refused(guarantee: Guarantee, number: int, refusal: str) -> Outcome:
    """The mail server refused the completion mail for good."""
    version = _mailed(guarantee, number)
    if isinstance(version, Impossible):
        return version
    if version.mail.state is not MailState.WAITING:
        return Repeated(f"no mail is waited for; it is {version.mail.state}")
    return _with(guarantee, replace(version, mail=replace(version.mail, state=MailState.REFUSED, refusal=refusal)))


def wish_mail(guarantee: Guarantee, address: str | None) -> Outcome:
    """The completion mail of the latest issued version is wished for (again), perhaps to a mended address.

    While one waits for the same address a second would double it, so nothing changes then.
    """
    version = guarantee.issued
    if version is None:
        return Impossible("not_issued", "no version has arrived yet")
    mail = version.mail
    address = address or mail.address
    if address is None:
        return Impossible("mail_address_needed", "no address is known")
    if mail.state is MailState.WAITING and address == mail.address:
        return Repeated("a mail to this address waits to be sent")
    if mail.ordinal >= MAILS_PER_VERSION_MAX:
        return Impossible("too_many_mails", f"at most {MAILS_PER_VERSION_MAX} mails are sent about one version")
    return _with(guarantee, replace(version, mail=Mail(True, address, MailState.WAITING, mail.ordinal + 1)))


def _with(guarantee: Guarantee, changed: Version) -> Guarantee:
    versions = tuple(changed if version.version == changed.version else version for version in guarantee.versions)
    return replace(guarantee, versions=versions)


def _mailed(guarantee: Guarantee, number: int) -> Version | Impossible:
    version = guarantee.version(number)
    if version is None:
        return _unknown_version(number)
    if version.mail.state is MailState.NONE:
        return Impossible("no_mail_wished", f"no mail about version {number} was wished for")
    return version


def _unknown_version(number: int) -> Impossible:
    return Impossible("unknown_version", f"the guarantee has no version {number}")


def _not_in_transit(version: Version) -> Impossible:
    return Impossible("version_not_in_transit", f"version {version.version} is {version.state}, not on its way")
