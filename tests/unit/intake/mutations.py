"""Bodies that portals might send: the example with some places changed, and its bytes with some bytes changed.

Hypothesis gives the dice; the mutations are drawn from them directly, which is ten times faster than strategy by
strategy, and thousands of bodies take seconds.
"""

import json
import random
from typing import Any, Final

from tests.unit.intake.changes import CHANGE
from tests.unit.intake.samples import EXAMPLE, GONE, INTERIM, changed

_STRANGE: Final[list[Any]] = [
    *(GONE, None, True, False, 0, -1, 1, 1.5, 5e7, 2**53, 10**400, float("nan"), float("inf"), "", " ", "\n", "x"),
    *("\u0000", "\u0085", "\ud800", "髙", "①", "○○銀行 ××支店", "ｶﾞ", "ﾞ", "😀" * 70, "x" * 3_000, "50000000"),
    *("令和8年1月20日", "R8.2.30", "2026-01-20", "2027-04-01", "9999-12-31", "0001-01-01", "2026-01-20T00:00:00Z"),
    *([], {}, [[]], [None], {"a": 1}, {"": {"": [0]}}, EXAMPLE["guarantees"][0], INTERIM, [INTERIM], [INTERIM] * 12),
    *("paper", "electronic", "contract_performance", "interim_advance_payment", "survey", "990019", "○○市長"),
]
_PLACES: Final = [
    *(f"/{name}" for name in [*EXAMPLE, "unknown", "a~1b"]),
    *(f"/{part}/{name}" for part in ("contractor", "contract", "completion_mail", "contact") for name in EXAMPLE[part]),
    *(f"/guarantees/{index}/{name}" for index in (0, 1) for name in [*INTERIM, "unknown"]),
]
_CHANGE_PLACES: Final = [
    *(f"/{name}" for name in [*CHANGE, "unknown"]),
    *(f"/completion_mail/{name}" for name in CHANGE["completion_mail"]),
    *(f"/corrections/{name}" for name in ("contractor_name", "price", "contract_date", "depository", "unknown")),
]
_PLACES_CHANGED_MAX: Final = 4
_BYTES_CHANGED_MAX: Final = 40


def document(dice: random.Random, name: str | None = None) -> dict[str, Any]:
    """The example with up to four places changed or taken away; `name` fixes the application id beforehand."""
    made = EXAMPLE if name is None else changed({"/application_id": name})
    return _mutated(dice, made, _PLACES)


def body(dice: random.Random, name: str | None = None) -> bytes:
    """A document as bytes, one time in four with some of its bytes cut out, doubled or replaced."""
    return _bytes(dice, document(dice, name))


def change_body(dice: random.Random, name: str | None = None) -> bytes:
    """The same for the example of a change."""
    made = CHANGE if name is None else changed({"/change_id": name}, CHANGE)
    return _bytes(dice, _mutated(dice, made, _CHANGE_PLACES))


def _mutated(dice: random.Random, made: dict[str, Any], places: list[str]) -> dict[str, Any]:
    for _ in range(dice.randint(0, _PLACES_CHANGED_MAX)):
        value = dice.choice(_STRANGE) if dice.random() < 0.8 else dice.randint(-(10**6), 10**9)
        # A place may be gone already, with the part that held it.
        try:
            made = changed({dice.choice(places): value}, made)
        except (KeyError, IndexError, TypeError, ValueError):
            continue
    return made


def _bytes(dice: random.Random, document: dict[str, Any]) -> bytes:
    whole = json.dumps(document, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")
    if dice.random() < 0.75:
        return whole
    start = dice.randint(0, len(whole))
    end = min(len(whole), start + dice.randint(0, _BYTES_CHANGED_MAX))
    between = [b"", whole[start:end] * 2, b"\xff", b"\x00", b'","', b"[" * 60, b'"portal":1,', b"\xef\xbb\xbf"]
    return whole[:start] + dice.choice(between) + whole[end:]
