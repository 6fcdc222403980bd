"""An act of an operator: never without a reason, and on record in the same commit as what it changes."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared import clock
from shared.logs import get_logger
from shared.messages.operator import OperatorActed
from shared.operator_door.operators import Operator
from shared.work import Work

REASON_CHARACTERS_MAX: Final = 200
KEPT: Final = r"^[^\x00]*$"
"""A text that the database can keep; half of a surrogate pair is no text for pydantic already."""

KEYS_TOLD_MAX: Final = 20
CORRELATION: Final = "operators"

logger = get_logger()


KeptText = Annotated[str, StringConstraints(pattern=KEPT)]


class Act(BaseModel):
    """What every act brings: why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=3, max_length=REASON_CHARACTERS_MAX, pattern=KEPT)
    ]


def record(work: Work, operator: Operator, what: str, keys: Sequence[str], reason: str) -> None:
    """Put an act on record: a fact in the journal when the transaction commits, and a line in the log now."""
    act_id = clock.new_uuid()
    told = OperatorActed(
        who=operator.name,
        what=what,
        keys=tuple(keys[:KEYS_TOLD_MAX]),
        count=len(keys),
        reason=reason,
        at=work.now,
    )
    work.announce(told, subject=what, occurrence=str(act_id), correlation=CORRELATION)
    logger.info("operator.acted", who=operator.name, what=what, count=len(keys), keys=told.keys, why=reason)
