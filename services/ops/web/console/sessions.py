"""Who is in: a session is a cookie that means nothing anywhere else, and behind it, in memory, the person's token.

The token is kept because what a person does is done with it at each service's own door. It is never written down: when
ops starts anew, people log in again.
"""

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from shared import clock
from shared.operator_door.operators import Operator, Operators
from shared.web import BEARER_TOKEN_CHARS_MAX

SESSIONS_MAX: Final = 200
SESSION_S_MAX: Final = 12 * 3_600.0
IDLE_S_MAX: Final = 3_600.0
SECRET_BYTES: Final = 32


@dataclass(slots=True)
class Session:
    """One person at one browser.

    Attributes:
        csrf: what each form must bring along; another site cannot read it.
    """

    operator: Operator
    token: str = field(repr=False)
    csrf: str = field(repr=False)
    begun_s: float
    used_s: float

    @property
    def may_act(self) -> bool:
        """Whether this person may change anything."""
        return self.operator.scope == "operator"

    def fits(self, csrf: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "surrogatepass"))


class Sessions:
    """All sessions; the one unused for longest goes when there are too many."""

    def __init__(self, operators: Operators) -> None:
        self._operators = operators
        self._by_id: OrderedDict[str, Session] = OrderedDict()

    def begin(self, token: str) -> str | None:
        """Let somebody in by token; gives the id of the session, or None if nobody has this token."""
        operator = self._operators.by_token(token) if 0 < len(token) <= BEARER_TOKEN_CHARS_MAX else None
        if operator is None:
            return None
        now_s = clock.monotonic_s()
        identity = clock.random_bytes(SECRET_BYTES).hex()
        self._by_id[identity] = Session(operator, token, clock.random_bytes(SECRET_BYTES).hex(), now_s, now_s)
        while len(self._by_id) > SESSIONS_MAX:
            self._by_id.popitem(last=False)
        return identity

    def of(self, identity: str) -> Session | None:
        """The session of this id, if it is not over."""
        session = self._by_id.get(identity)
        if session is None:
            return None
        now_s = clock.monotonic_s()
        if now_s - session.begun_s > SESSION_S_MAX or now_s - session.used_s > IDLE_S_MAX:
            self.end(identity)
            return None
        session.used_s = now_s
        self._by_id.move_to_end(identity)
        return session

    def end(self, identity: str) -> None:
        """Let somebody out."""
        self._by_id.pop(identity, None)
