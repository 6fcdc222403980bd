"""What both sinks took, kept until the next turn begins."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Taken:
    """What was taken since the turn began.

    Attributes:
        posts: how often each idempotency key came.
        answers: the first answer to each key, which stands.
        traces: deliveries of spans, each of many.
        mails: for each mail when it came (seconds of a clock that never runs backwards), for whom, and its Message-ID.
    """

    posts: dict[str, int] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    mails: list[tuple[float, str, str]] = field(default_factory=list)
    traces: int = 0

    def mail(self, recipient: str, message_id: str) -> None:
        """Note a mail that came now."""
        self.mails.append((time.monotonic(), recipient, message_id))

    def told(self) -> dict[str, Any]:
        """All of it, as JSON tells it."""
        return {"posts": self.posts, "mails": self.mails}

    def counted(self) -> dict[str, int]:
        """How much there is of each."""
        return {"posts": len(self.posts), "mails": len(self.mails), "traces": self.traces}

    def forget(self) -> None:
        """A new turn begins."""
        self.posts.clear()
        self.answers.clear()
        self.mails.clear()
        self.traces = 0
