"""What the product must reach beside its limit and its peers, in one run, with all guarantees on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

IDLE_MB_MAX: Final = 100.0


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the table: what it is, what it must be, what it is here."""

    figure: str
    wanted: str
    value: float
    reached: bool


def _least(figure: str, value: float, wanted: float) -> Row:
    return Row(figure, f"≥ {wanted:g}", value, value >= wanted)


def _most(figure: str, value: float, wanted: float) -> Row:
    return Row(figure, f"≤ {wanted:g}", round(value, 2), value <= wanted)


def rows(figures: Mapping[str, Any]) -> Iterator[Row]:
    """The table for the figures of `build/bench.json`."""
    yield _least("product / limit, applications per second", figures["ratio_to_limit"], 0.60)
    yield _least("product / celery", figures["ratio_to_celery"], 5)
    yield _least("product / plain_faststream", figures["ratio_to_plain_faststream"], 3)
    product, limit = figures["latency_ms"]["product"], figures["latency_ms"]["limit"]
    for share in ("p50", "p99"):
        yield _most(f"{share} latency at 20/s, product / limit", product[share] / limit[share], 2.0)
    yield _most("resident memory of the largest service, MB", max(figures["rss_mb"].values()), IDLE_MB_MAX)


def table(figures: Mapping[str, Any]) -> str:
    """The same, to be read."""
    names = ("limit", "limit_packed", "product", "plain_faststream", "celery")
    lines = [f"  {name:<44} {figures[f'{name}_per_s']:>9.1f} applications/s" for name in names]
    for row in rows(figures):
        mark = "reached" if row.reached else "NOT REACHED"
        lines.append(f"  {row.figure:<44} {row.value:>9.2f}  wanted {row.wanted:<7} {mark}")
    return "\n".join(lines)
