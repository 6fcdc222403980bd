"""発注者: who takes electronic guarantees, since when and on which basis, and on which terms (domain rules 2, 4–7).

What belongs to one obligee is data with its source and its dates, never a constant. `rows` holds the shapes of the
rows, `registry` finds the row in force for a contract, `reading` reads the file and says what is wrong in which line.
"""

from services.intake.domain.obligees.reading import Fault, read_registry
from services.intake.domain.obligees.registry import Registry
from services.intake.domain.obligees.rows import (
    OBLIGEE_NAME_CHARS_MAX,
    Basis,
    Electronic,
    KeyNotice,
    Obligee,
    Rates,
    WorksKind,
    has_check_digit,
)

__all__ = [
    "OBLIGEE_NAME_CHARS_MAX",
    "Basis",
    "Electronic",
    "Fault",
    "KeyNotice",
    "Obligee",
    "Rates",
    "Registry",
    "WorksKind",
    "has_check_digit",
    "read_registry",
]
