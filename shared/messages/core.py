"""What the guarantor's core system announces: the underwriting decision on one line of an application."""

from datetime import datetime
from typing import ClassVar

from shared.messages import Message
from shared.messages.intake import Kind
from shared.problems import Problem


class GuaranteeConcluded(Message):
    """引受 approved and premium settled: the guarantee is concluded."""

    TYPE: ClassVar[str] = "core.guarantee_concluded.v1"

    portal: str
    application_id: str
    kind: Kind
    concluded_at: datetime
    message_from_guarantor: str | None = None


class GuaranteeDeclined(Message):
    """The guarantor declined this line, with reasons."""

    TYPE: ClassVar[str] = "core.guarantee_declined.v1"

    portal: str
    application_id: str
    kind: Kind
    declined_at: datetime
    problems: tuple[Problem, ...] = ()
    message_from_guarantor: str | None = None
