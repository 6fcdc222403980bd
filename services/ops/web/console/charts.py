"""Charts of the last hour as lines for an SVG, from the points that ops keeps; nothing is drawn by a script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.ops.handlers.watching import HISTORY_S, POINT_EVERY_S
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import GuaranteeIssued

WIDTH: Final = 300
HEIGHT: Final = 60
_PER_MINUTE: Final = 60.0 / POINT_EVERY_S


@dataclass(frozen=True, slots=True)
class Chart:
    """One line: the points of an SVG polyline, and the numbers that are told beside it."""

    key: str
    points: str
    last: int
    most: int


def charts(history: Sequence[Mapping[str, Any]], at_s: Callable[[Mapping[str, Any]], float]) -> list[Chart]:
    """The charts of the flow; `at_s` tells how many seconds ago a point was."""
    ways: dict[str, Callable[[Mapping[str, Any]], float]] = {
        "accepted": lambda point: _PER_MINUTE * point["told"].get(ApplicationAccepted.TYPE, 0),
        "issued": lambda point: _PER_MINUTE * point["told"].get(GuaranteeIssued.TYPE, 0),
        "queues": lambda point: sum(point["queues"].values()),
        "outsides": lambda point: sum(point["outsides"].values()),
    }
    return [_chart(key, [(at_s(point), value(point)) for point in history]) for key, value in ways.items()]


def _chart(key: str, values: Sequence[tuple[float, float]]) -> Chart:
    most = max((value for _, value in values), default=0.0)
    scale = HEIGHT / most if most else 0.0
    drawn = [(WIDTH * (1 - min(ago_s, HISTORY_S) / HISTORY_S), HEIGHT - value * scale) for ago_s, value in values]
    points = " ".join(f"{across:.1f},{down:.1f}" for across, down in drawn)
    return Chart(key, points, round(values[-1][1]) if values else 0, round(most))
