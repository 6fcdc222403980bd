"""The pictures of docs/performance.md, drawn from what the last runs wrote."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from deploy.places import BUILD, CHECKOUT

FIGURES: Final = BUILD / "bench.json"
DETAILS: Final = BUILD / "bench-details.json"
GROWTH: Final = BUILD / "bench-growth.json"
JOURNAL: Final = BUILD / "journal.json"
WATCHED: Final = BUILD / "bench-watched.json"
PAGE: Final = CHECKOUT / "docs" / "performance.md"
PICTURES: Final = CHECKOUT / "docs" / "performance"
BEGIN: Final = "<!-- measured: begin -->"
END: Final = "<!-- measured: end -->"

_WIDTH: Final = 720
_LEFT: Final = 150
_RIGHT: Final = 110
_BAR: Final = 22
_STEP: Final = 34
_COLOURS: Final = (
    "#30638e",
    "#d1495b",
    "#edae49",
    "#00798c",
    "#8d96a3",
    "#6a4c93",
    "#52796f",
    "#bc6c25",
    "#9bc53d",
    "#3d2c2e",
)
_ORDER: Final = ("limit_packed", "limit", "product", "plain_faststream", "celery")


def report() -> None:
    """Draw what is there into the page."""
    PICTURES.mkdir(exist_ok=True)
    told: list[str] = []
    if FIGURES.exists() and DETAILS.exists():
        figures, details = _read(FIGURES), _read(DETAILS)
        _draw("rates", bars([(name, figures[f"{name}_per_s"]) for name in _ORDER], "applications per second"))
        _draw(
            "cost", stacks({name: _parts(details["processor_ms"][name]) for name in _ORDER[:3]}, "ms of processor each")
        )
        _draw("stages", bars(list(_parts(details["processor_ms"]["product"]).items()), "ms of processor each"))
        told += _figures(figures, details)
    if GROWTH.exists():
        grown = _read(GROWTH)
        pairs = [
            (f"{kind}, {size}", grown["p99_ms"][size][kind]) for kind in grown["ratio_p99"] for size in grown["p99_ms"]
        ]
        _draw("look-ups", bars(pairs, "p99, ms"))
        _draw("processes", bars(list(grown["per_s_by_processes"].items()), "applications per second"))
        told += _growth(grown)
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    PAGE.write_text(head + "\n".join([BEGIN, "", *told, END]) + tail, encoding="utf-8")
    print(f"drawn into {PAGE.relative_to(CHECKOUT)}")


def _figures(figures: Mapping[str, Any], details: Mapping[str, Any]) -> Iterator[str]:
    yield "| contender | applications/s, median | in the rounds | product / it, in the rounds |"
    yield "|---|---|---|---|"
    for name in _ORDER:
        rounds = ", ".join(f"{one:g}" for one in details["per_s"][name])
        ratios = ", ".join(f"{one:.2f}" for one in details["ratios"].get(name, ())) or "–"
        yield f"| {name} | {figures[f'{name}_per_s']:g} | {rounds} | {ratios} |"
    yield ""
    yield "| at 20 applications/s | p50, ms | p99, ms |"
    yield "|---|---|---|"
    for name, times in figures["latency_ms"].items():
        yield f"| {name} | {times['p50']:g} | {times['p99']:g} |"
    yield ""
    memory = ", ".join(f"{name} {value:g}" for name, value in figures["rss_mb"].items())
    yield f"Resident memory after the turns, MB: {memory}."
    yield ""
    yield "![Applications per second](performance/rates.svg)"
    yield "![Processor time for each application, by process](performance/cost.svg)"
    yield "![Processor time of the product for each application, by stage](performance/stages.svg)"
    yield ""


def _growth(grown: Mapping[str, Any]) -> Iterator[str]:
    small, large = (grown["guarantees"][size] for size in ("small", "large"))
    yield f"| {large:,} guarantees beside {small:,} | ratio |"
    yield "|---|---|"
    yield f"| applications per second | {grown['ratio_throughput']:g} |"
    for kind, ratio in grown["ratio_p99"].items():
        yield f"| p99 of {kind} | {ratio:g} |"
    for name, ratio in grown["ratio_rss"].items():
        yield f"| resident memory of {name}, long backlog / short | {ratio:g} |"
    yield ""
    yield "![p99 of look-ups](performance/look-ups.svg)"
    yield "![Applications per second, by processes of each service](performance/processes.svg)"
    yield ""


def _parts(processor_ms: Mapping[str, float]) -> dict[str, float]:
    """By stage: the processes of one contender that do the same are one part."""
    parts: dict[str, float] = {}
    for name, used_ms in processor_ms.items():
        stage = name.rstrip("0123456789").rstrip("-")
        parts[stage] = round(parts.get(stage, 0.0) + used_ms, 2)
    return parts


def bars(values: Sequence[tuple[str, float]], unit: str) -> str:
    """A bar for each value, with its name before and its value behind."""
    most = max(value for _, value in values)
    drawn = [_bar(row, name, [(value, _COLOURS[0])], most) for row, (name, value) in enumerate(values)]
    return _picture(drawn, len(values), unit)


def stacks(values: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """A bar for each name, put together from its parts, with a legend below."""
    stages = list(dict.fromkeys(stage for parts in values.values() for stage in parts))
    colours = {stage: _COLOURS[place % len(_COLOURS)] for place, stage in enumerate(stages)}
    most = max(sum(parts.values()) for parts in values.values())
    drawn = [
        _bar(row, name, [(value, colours[stage]) for stage, value in parts.items()], most)
        for row, (name, parts) in enumerate(values.items())
    ]
    for place, stage in enumerate(stages):
        x, y = 10 + place % 4 * 175, (len(values) + place // 4) * _STEP + 24
        drawn.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colours[stage]}"/>')
        drawn.append(f'<text x="{x + 18}" y="{y + 11}">{escape(stage)}</text>')
    return _picture(drawn, len(values) + 1 + (len(stages) - 1) // 4, unit)


def _bar(row: int, name: str, parts: Sequence[tuple[float, str]], most: float) -> str:
    y, x = row * _STEP + 20, float(_LEFT)
    pieces = [f'<text x="{_LEFT - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>']
    for value, colour in parts:
        width = value / most * (_WIDTH - _LEFT - _RIGHT)
        pieces.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
        x += width
    pieces.append(f'<text x="{x + 8:.1f}" y="{y + 16}">{sum(value for value, _ in parts):.4g}</text>')
    return "".join(pieces)


def _picture(drawn: Sequence[str], rows: int, unit: str) -> str:
    height = rows * _STEP + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        ' font-family="sans-serif" font-size="13">'
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>'
        f'<text x="{_WIDTH - 10}" y="14" text-anchor="end" fill="#666">{escape(unit)}</text>'
        + "".join(drawn)
        + "</svg>\n"
    )


def _draw(name: str, picture: str) -> None:
    (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
