"""How long a batch waits for more: a moment under load, where one commit then serves many, and never without."""

FILL_S_MAX = 0.02
FILL_ROWS_MIN = 2
"""How many more rows the wait has to bring at the present pace."""


def fill_s(rows: int, within_s: float) -> float:
    """How long the next batch may wait to fill, in seconds, when the last one had so many rows after so long."""
    # Rows that lay ready together came no faster than the wait itself could have gathered them.
    pace_per_s = rows / max(within_s, FILL_S_MAX)
    return FILL_S_MAX if pace_per_s * FILL_S_MAX >= FILL_ROWS_MIN else 0.0
