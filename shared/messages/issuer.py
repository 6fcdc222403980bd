"""What the issuer announces: a guarantee moved."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.messages import Message
from shared.messages.intake import Kind
from shared.messages.moments import Instant
from shared.problems import Problem

_OF_CHANGE: Final = (
    "The change of yours that made this version; null if it is the first, or came of the office's change."
)


class CertificateCreated(Message):
    """A version of an electronic certificate was made and waits to be posted to the platform."""

    TYPE: ClassVar[str] = "issuer.certificate_created.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    version_kind: str
    kind: Kind
    concluded_at: Instant
    certificate: str
    """Canonical JSON (RFC 8785) without auth_key, content_sha256 and signature: the bytes that were signed."""
    content_sha256: str
    signature: str
    sealed_auth_key: str
    """Opened only for the POST to the platform; the guarantee number is its associated data."""


class GuaranteeStatusChanged(Message):
    """The 手続状況 that people see of a guarantee became another one, or it has a version more.

    A change of a guarantee on paper ends with this: the certificate was ordered again, so `from` and `to` are both
    `paper_ordered`, and `version` is the new one.
    """

    TYPE: ClassVar[str] = "issuer.guarantee_status_changed.v1"

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    portal: str
    application_id: str
    guarantee_number: str
    kind: Kind
    from_status: str | None = Field(alias="from")
    to_status: str = Field(alias="to")
    status_ja: str
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()
    """What a change means for other guarantees of the same application; nothing is refused by it."""
    message_from_guarantor: str | None = None
    version: int | None = Field(
        default=None, description="The latest version, to which the status belongs; null before there is a first."
    )
    change_id: str | None = Field(default=None, description=_OF_CHANGE)
    at: Instant

    def for_portal(self) -> dict[str, Any]:
        """The whole fact."""
        return self.model_dump(mode="json", by_alias=True)

    def for_journal(self) -> Mapping[str, str]:
        """Which line of the ledger moved, and where to."""
        return {"kind": self.kind, "status": self.to_status}


class ChangeRefused(Message):
    """A change with a good form cannot be done to the guarantee as it stands, with every reason at once."""

    TYPE: ClassVar[str] = "issuer.change_refused.v1"

    portal: str
    change_id: str
    guarantee_number: str
    problems: tuple[Problem, ...]
    refused_at: Instant

    def for_portal(self) -> dict[str, Any]:
        """The whole fact."""
        return self.model_dump(mode="json")


class PaperOrdered(Message):
    """The office is to make and hand over a paper certificate: no key, no platform, no mail."""

    TYPE: ClassVar[str] = "issuer.paper_ordered.v1"

    portal: str
    application_id: str
    guarantee_number: str
    kind: Kind
    receiving_office: str
    paper_delivery: str | None
    paper_premium_statement: bool
    version: int
    version_kind: str
    amount: int


class CompletionMail(BaseModel):
    """Whether the contractor wished a mail (電子保証発行完了のお知らせ), and where to."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    wanted: bool
    address: str | None


class GuaranteeIssued(Message):
    """A version arrived at the platform and its 発行日時 is recorded: only now is anybody told."""

    TYPE: ClassVar[str] = "issuer.guarantee_issued.v1"

    portal: str
    application_id: str
    guarantee_number: str
    kind: Kind
    version: int
    version_kind: str
    issued_at: Instant
    ordinal: int = 1
    """How often this version was announced as issued; one more for every mail wished for again."""
    completion_mail: CompletionMail
    contractor_name: str
    obligee_name: str
    project_name: str
    product_name: str
    # Only portals are told: a version issued before this was known must be announced again to the letter.
    change_id: str | None = Field(default=None, exclude=True, description=_OF_CHANGE)

    def for_portal(self) -> dict[str, Any]:
        """Everything but the mail's data."""
        hidden = {"ordinal", "completion_mail", "contractor_name", "obligee_name", "project_name", "product_name"}
        return {**self.model_dump(mode="json", exclude=hidden), "change_id": self.change_id}

    def for_journal(self) -> Mapping[str, str]:
        """Whether the ledger is to wait for a mail; never where to."""
        mail = "wanted" if self.completion_mail.wanted else "not_wanted"
        return {"kind": self.kind, "mail": mail, "ordinal": str(self.ordinal)}
