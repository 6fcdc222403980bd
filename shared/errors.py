"""The three kinds of error, told apart by who can do something about them.

Time heals a ``Transient`` one, nobody heals an ``Unprocessable`` one (it is parked with its reason), and a person must
act on a ``Misconfigured`` one. Concrete errors stand beside the rule that raises them and derive from one of the three.
The first paragraph of an error's docstring is its message, unless it is raised with a text that knows more; either
says what to do next.
"""

import inspect


def _told(kind: type[Exception], reason: str | None) -> str:
    """Give the text the error was raised with, or the first paragraph of its docstring on one line."""
    return reason or " ".join((inspect.getdoc(kind) or kind.__name__).split("\n\n", 1)[0].split())


class Transient(Exception):
    """Something we need is away for now; the same step is tried again later."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = _told(type(self), reason)
        super().__init__(self.reason)


class Unprocessable(Exception):
    """This message cannot be taken, now or later; it is parked for a person to look at.

    Attributes:
        code: a short constant a desk can group by, snake_case; a subclass sets its own, or it is given.
        reason: the sentence shown beside the parked fact; it must not hold a secret.
    """

    code: str = "unprocessable"

    def __init__(self, reason: str | None = None, *, code: str | None = None) -> None:
        self.reason = _told(type(self), reason)
        if code is not None:
            self.code = code
        super().__init__(self.reason)


class Misconfigured(Exception):
    """The surroundings of this process are wrong; it refuses to start until a person has put them right."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = _told(type(self), reason)
        super().__init__(self.reason)
