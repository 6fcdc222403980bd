"""The published example of an application as intake hands it over, and guarantees at any point of their lives."""

import copy
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from services.issuer.domain.events import arrive, conclude, number_given
from services.issuer.domain.form import Application, MailWish, application_of
from services.issuer.domain.guarantee import Guarantee, Outcome, requested

NUMBER: Final = "00000-000001"
TODAY: Final = date(2026, 1, 15)
CONCLUDED_AT: Final = datetime(2026, 1, 15, 0, 30, 1, 200_000, UTC)
ARRIVED_AT: Final = datetime(2026, 1, 15, 0, 30, 2, 117_000, UTC)
ADDRESS: Final = "keiri@kensetsu.example"

EXAMPLES: Final = Path(__file__).parents[2] / "contract" / "examples"
FORM: Final[dict[str, Any]] = json.loads((EXAMPLES / "application.json").read_text(encoding="utf-8"))


def form(**places: object) -> dict[str, Any]:
    """The example with some places changed, named as `contract__price=1` or `guarantees__0__amount=1`."""
    changed = copy.deepcopy(FORM)
    for path, value in places.items():
        *parents, last = [int(part) if part.isdecimal() else part for part in path.split("__")]
        place: Any = changed
        for parent in parents:
            place = place[parent]
        place[last] = value
    return changed


def application(**places: object) -> Application:
    """The example as the issuer reads it."""
    return application_of(form(**places))


def waiting(line: int = 0, **places: object) -> Guarantee:
    """A guarantee that waits for its conclusion; line 0 is electronic, line 1 on paper."""
    read = application(**places)
    return number_given(requested(NUMBER, "portal-a", "A-2026-000123", read, read.guarantees[line]))


def moved(outcome: Outcome) -> Guarantee:
    """The guarantee, if the event moved it."""
    assert isinstance(outcome, Guarantee), outcome
    return outcome


def concluded(line: int = 0, *, wanted: bool = True) -> Guarantee:
    """A guarantee whose first version is on its way, or ordered."""
    wish = MailWish(wanted=wanted, address=ADDRESS if wanted else None)
    return moved(conclude(waiting(line), CONCLUDED_AT, wish))


def issued(*, wanted: bool = True) -> Guarantee:
    """A guarantee whose first version arrived."""
    return moved(arrive(concluded(wanted=wanted), 1, ARRIVED_AT, "c-1"))
