"""What intake announces: an application was judged."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from shared.messages import Message
from shared.problems import Problem

Kind = Literal["advance_payment", "interim_advance_payment", "contract_performance"]
CertificateForm = Literal["paper", "electronic"]


class AcceptedLine(BaseModel):
    """One guarantee applied for, as the answer to the portal shows it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Kind
    certificate_form: CertificateForm


class ApplicationAccepted(Message):
    """An application was judged good and is ours from now on."""

    TYPE: ClassVar[str] = "intake.application_accepted.v1"

    portal: str
    application_id: str
    accepted_at: datetime
    remarks: tuple[Problem, ...]
    lines: tuple[AcceptedLine, ...]
    application: dict[str, Any]
    """The whole form, normalised, in the shape of the published `application.json` with ISO dates."""

    def for_portal(self) -> dict[str, Any]:
        """The published shape: the form itself stays inside."""
        return self.model_dump(mode="json", exclude={"application"})


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


class ChangeRejected(Message):
    """A change was refused at the door, with every reason at once."""

    TYPE: ClassVar[str] = "intake.change_rejected.v1"

    portal: str
    change_id: str | None
    guarantee_number: str | None
    message_id: str | None
    problems: tuple[Problem, ...]

    def for_portal(self) -> dict[str, Any]:
        """The whole fact."""
        return self.model_dump(mode="json")
