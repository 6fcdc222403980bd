"""Recipients that make the mailbox misbehave: `smtp-<what>[-<seconds>][x<times>][+tag]@anything.example`.

4xx codes and broken connections happen once for each address (or as often as `x<times>` says) and then no
more; 5xx codes happen always.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_LOCAL = re.compile(
    r"^smtp-(?:(?P<code>[45]\d\d)(?P<dot>-dot)?|(?P<name>drop-data|drop-dot|drop|silence|slow))"
    r"(?:-(?P<seconds>\d{1,4}(?:\.\d{1,3})?))?(?:x(?P<times>[1-9]\d{0,5}))?(?:\+.*)?$"
)
SLOW_S = 2.0
TIMES_UNENDING = 1_000_000


class Deed(StrEnum):
    """Where in the conversation a misbehaviour stands."""

    CODE_AT_RCPT = "code at RCPT"
    CODE_AT_DOT = "code after the final dot"
    DROP_AT_RCPT = "drop at RCPT"
    DROP_IN_DATA = "drop in DATA"
    DROP_AFTER_STORING = "stored, then dropped before the reply"
    SILENCE_AT_DOT = "no reply to the final dot"
    SLOW_AT_DOT = "late reply to the final dot"


@dataclass(frozen=True, slots=True)
class Trick:
    """One misbehaviour.

    Attributes:
        code: the SMTP reply code, where the deed gives one.
        seconds: how late a slow reply is.
        times: how often it happens for one address.
    """

    deed: Deed
    code: int = 0
    seconds: float = SLOW_S
    times: int = 1


_NAMED = {
    "drop": Deed.DROP_AT_RCPT,
    "drop-data": Deed.DROP_IN_DATA,
    "drop-dot": Deed.DROP_AFTER_STORING,
    "silence": Deed.SILENCE_AT_DOT,
    "slow": Deed.SLOW_AT_DOT,
}


def trick_of(address: str) -> Trick | None:
    """The misbehaviour that an address asks for; None for an honest address."""
    found = _LOCAL.match(address.rpartition("@")[0].lower())
    if found is None:
        return None
    seconds = float(found["seconds"]) if found["seconds"] else SLOW_S
    if found["name"]:
        return Trick(_NAMED[found["name"]], seconds=seconds, times=int(found["times"] or 1))
    code = int(found["code"])
    deed = Deed.CODE_AT_DOT if found["dot"] else Deed.CODE_AT_RCPT
    times = TIMES_UNENDING if code >= 500 and not found["times"] else int(found["times"] or 1)
    return Trick(deed, code, seconds, times)
