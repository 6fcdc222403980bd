"""What intake announces: an application or a change was judged."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.messages import Message
from shared.messages.moments import Instant
from shared.problems import Problem

Kind = Literal["advance_payment", "interim_advance_payment", "contract_performance"]
CertificateForm = Literal["paper", "electronic"]


class AcceptedLine(BaseModel):
    """One guarantee applied for, as the answer to the portal shows it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Kind
    certificate_form: CertificateForm


class KeyNoticeAdvice(BaseModel):
    """How this obligee wants to be handed the 認証キー (the key notice says it, ready to copy)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    submit_to: str | None = None
    """Where to: a department or a mail address."""
    mail_subject: str | None = None
    advice_ja: str | None = None
    source: str | None = None


class Terms(BaseModel):
    """The obligee's terms by which an application was judged; they stay with its guarantees for life.

    Rates are whole percent, `maximum_unit_yen` and `minimum_price_yen` whole yen. `electronic_since` is None where
    the obligee takes paper only. Each group says where it was published (`*_source`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    obligee_code: str
    obligee_name: str
    electronic_since: date | None = None
    electronic_until: date | None = None
    electronic_basis: Literal["contract_date", "tender_notice_date"] | None = None
    changes_of_older_contracts_excluded: bool = False
    electronic_source: str | None = None
    advance_works_percent: int
    advance_design_percent: int
    interim_percent: int
    advance_together_percent: int
    performance_percent: int
    performance_low_bid_percent: int
    maximum_unit_yen: int
    minimum_price_yen: int | None = None
    """Contracts below this price get no advance payment; None where the obligee sets no such price."""
    rates_valid_from: date
    rates_valid_until: date | None = None
    rates_source: str
    key_notice: KeyNoticeAdvice = KeyNoticeAdvice()


class ApplicationAccepted(Message):
    """An application was judged good and is ours from now on."""

    TYPE: ClassVar[str] = "intake.application_accepted.v1"

    portal: str
    application_id: str
    accepted_at: Instant
    remarks: tuple[Problem, ...]
    lines: tuple[AcceptedLine, ...]
    application: dict[str, Any]
    """The whole form, normalised, in the shape of the published `application.json` with ISO dates."""
    terms: Terms | None = None
    """By which terms it was judged; None only in facts from before the terms travelled."""

    def for_portal(self) -> dict[str, Any]:
        """The published shape: the form itself and the terms stay inside."""
        return self.model_dump(mode="json", exclude={"application", "terms"})

    def for_journal(self) -> Mapping[str, str]:
        """Whose works these are, and which lines the ledger expects to be settled."""
        contract, contractor = self.application.get("contract") or {}, self.application.get("contractor") or {}
        return {
            "contractor": str(contractor.get("name", "")),
            "project": str(contract.get("project_name", "")),
            "obligee": str(contract.get("obligee_name", "")),
            "lines": ",".join(f"{line.kind}:{line.certificate_form}" for line in self.lines),
        }


class ApplicationRejected(Message):
    """An application was refused, with every reason at once. It occupies nothing: mend and send again."""

    TYPE: ClassVar[str] = "intake.application_rejected.v1"

    portal: str
    application_id: str | None
    message_id: str | None
    problems: tuple[Problem, ...]

    def for_portal(self) -> dict[str, Any]:
        """The whole fact."""
        return self.model_dump(mode="json")

    def for_journal(self) -> Mapping[str, str]:
        """Why it was refused, as codes."""
        return {"problems": ",".join(problem.code for problem in self.problems)}


class ApplicationConflicted(Message):
    """Other content came under an accepted application id. The first stands."""

    TYPE: ClassVar[str] = "intake.application_conflicted.v1"

    portal: str
    application_id: str
    message_id: str | None
    problems: tuple[Problem, ...]

    def for_portal(self) -> dict[str, Any]:
        """The whole fact."""
        return self.model_dump(mode="json")


class ChangeAccepted(Message):
    """A change was judged good as far as its form can tell; the issuer judges what needs the guarantee."""

    TYPE: ClassVar[str] = "intake.change_accepted.v1"

    portal: str
    change_id: str
    guarantee_number: str
    accepted_at: Instant
    remarks: tuple[Problem, ...]
    change: dict[str, Any]
    """The whole form, normalised, in the shape of the published `change.json` with ISO dates.

    `version_kind` is change, correction, change_cancellation or termination. A change brings at least one of `price`,
    `fiscal_year_amount`, `amount`, `works_until`, and null means "as before"; all four are null for the other kinds.
    `corrections` holds for a correction the corrected fields only, at least one of `contractor_name`, `jv_name`,
    `project_name`, `contract_date`, `works_from`, `works_until`, `price`, `fiscal_year_amount`, `amount`,
    `depository`; null is a value there, which only `jv_name` and `fiscal_year_amount` may have. It is {} for the
    other kinds. `customer_number` is null only where the office asks (`portal` is then `office`).
    """

    def for_portal(self) -> dict[str, Any]:
        """The published shape: the form itself stays inside."""
        return self.model_dump(mode="json", exclude={"change"})


class ChangeRejected(Message):
    """A change was refused at the door, with every reason at once."""

    TYPE: ClassVar[str] = "intake.change_rejected.v1"

    portal: str
    change_id: str | None
    guarantee_number: str | None
    message_id: str | None = None
    problems: tuple[Problem, ...]

    def for_portal(self) -> dict[str, Any]:
        """The whole fact."""
        return self.model_dump(mode="json")
