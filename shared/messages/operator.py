"""What every service announces of its operators: somebody acted by hand, and said why."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from shared.messages import Message


class OperatorActed(Message):
    """An operator changed something by hand. It is told in the same commit as the change, and only to the journal."""

    TYPE: ClassVar[str] = "operator.acted.v1"

    who: str
    """The operator's name in the operators file; tokens stay out."""
    what: str
    """The act and what it was done to, as `due.hold post_certificate`."""
    keys: tuple[str, ...] = ()
    """The first of the things it was done to."""
    count: int
    reason: str
    at: datetime

    def for_journal(self) -> Mapping[str, str]:
        """The whole act: the journal is its record."""
        return {
            "who": self.who,
            "what": self.what,
            "keys": ",".join(self.keys),
            "count": str(self.count),
            "reason": self.reason,
        }
