"""What a guarantee is: its versions, which of them is in force, and what an event can answer.

A rule that is broken is a value, never an exception: `Repeated` when what an event tells is true already, `Impossible`
when it contradicts what is known.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from services.issuer.domain.form import Application, Line
from services.issuer.domain.names import VersionKind
from services.issuer.domain.particulars import Particulars, particulars_of
from services.issuer.domain.states import GuaranteeState, Status, VersionState, status_of
from shared.messages.intake import CertificateForm, Kind
from shared.problems import Problem

_STANDING: Final = frozenset({VersionState.ARRIVED, VersionState.ORDERED, VersionState.SUPERSEDED})
_PRESENT: Final = frozenset({VersionState.ARRIVED, VersionState.ORDERED})


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
        particulars: what it says; None for the first version, which says what was applied for.
        revocable: whether it came by a 変更, directly or as its 訂正, so that a 変更取消 can take it back.
        held_at: when the bridge last stopped for a person, whatever it has heard since; `hold_reason` says why.
        released_at: when a person last let it go on.
        change_id: the change that made it, if the portal of the guarantee sent that; another's ids are not its own.
    """

    version: int
    kind: VersionKind
    state: VersionState
    mail: Mail
    issued_at: datetime | None = None
    certificate_id: str | None = None
    refused_at: datetime | None = None
    refusal: str | None = None
    particulars: Particulars | None = None
    revocable: bool = False
    held_at: datetime | None = None
    released_at: datetime | None = None
    hold_reason: str | None = None
    change_id: str | None = None

    @property
    def is_held(self) -> bool:
        """Whether it waits for a person: the later one of hold and release counts, in whichever order they came."""
        if self.state is not VersionState.IN_TRANSIT or self.held_at is None:
            return False
        return self.released_at is None or self.released_at < self.held_at

    @property
    def stands(self) -> bool:
        """Whether it is part of what contractors are told: neither corrected nor cancelled, nor a 変更取消 itself."""
        return self.state in _STANDING and self.kind is not VersionKind.CHANGE_CANCELLATION


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A guarantee with the versions of its certificate, the first one first.

    Names, price, amount and 保証期限 are those of the version that people are shown.

    Attributes:
        customer_number: whose guarantee it is; only the same customer may change it.
        status_no: how many changes of its 手続状況 were announced; the occurrence of the last of them.
        sealed_auth_key: the 認証キー, sealed; None before conclusion and on paper.
        earlier_guarantee_number: of an interim advance payment: the guarantee of the advance payment before it.
        auth_key_fingerprint: what keeps two guarantees from having one key, without telling the key.
    """

    guarantee_number: str
    portal: str
    application_id: str
    kind: Kind
    certificate_form: CertificateForm
    state: GuaranteeState
    customer_number: str
    contractor_name: str
    obligee_name: str
    project_name: str
    price: int
    amount: int
    guarantee_until: date
    status_no: int = 0
    concluded_at: datetime | None = None
    message_from_guarantor: str | None = None
    problems: tuple[Problem, ...] = ()
    sealed_auth_key: str | None = None
    auth_key_fingerprint: bytes | None = None
    earlier_guarantee_number: str | None = None
    versions: tuple[Version, ...] = ()

    @property
    def issued(self) -> Version | None:
        """The latest version that arrived, a 変更取消 too."""
        return next((version for version in reversed(self.versions) if version.state is VersionState.ARRIVED), None)

    @property
    def present(self) -> Version | None:
        """The latest version that arrived or was ordered: what it says is what people are shown."""
        return next((version for version in reversed(self.versions) if version.state in _PRESENT), None)

    @property
    def in_force(self) -> Version | None:
        """The version whose values hold: the latest that contractors see, so the one below a 変更取消."""
        return next((version for version in reversed(self.versions) if version.stands), None)

    @property
    def below(self) -> Version | None:
        """The version that was in force before the one in force, to which a 変更取消 goes back."""
        standing = [version for version in self.versions if version.stands]
        return standing[-2] if len(standing) > 1 else None

    @property
    def latest(self) -> Version | None:
        """The version of the highest number."""
        return self.versions[-1] if self.versions else None

    @property
    def amount_at_most(self) -> int:
        """The guaranteed amount, or that of the version on its way, whichever is more."""
        coming = [v.particulars.amount for v in self.versions if v.state is VersionState.IN_TRANSIT and v.particulars]
        return max([self.amount, *coming])

    @property
    def correlation(self) -> str:
        """The application that everything about this guarantee belongs to."""
        return f"{self.portal}/{self.application_id}"

    def status(self, today: date) -> Status:
        """手続状況 on this day (Japan)."""
        latest = self.latest
        state, held = (latest.state, latest.is_held) if latest else (None, False)
        return status_of(self.state, state, self.guarantee_until, today, held=held)

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
    said = particulars_of(application, line)
    return Guarantee(
        guarantee_number=guarantee_number,
        portal=portal,
        application_id=application_id,
        kind=line.kind,
        certificate_form=line.certificate_form,
        state=GuaranteeState.REQUESTED,
        customer_number=application.contractor.customer_number,
        contractor_name=said.contractor_name,
        obligee_name=said.obligee_name,
        project_name=said.project_name,
        price=said.price,
        amount=said.amount,
        guarantee_until=said.guarantee_until,
        earlier_guarantee_number=line.earlier_guarantee_number,
    )
