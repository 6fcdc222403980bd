"""A whole run: every contender turn by turn, then the latency of two of them, and what follows from the figures."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.applications import PORTAL, applications
from bench.checks import check
from bench.contenders.described import CONTENDERS, PRODUCT, Contender
from bench.grounds import Grounds
from bench.load import Portal
from bench.turn import Result, finished, started, turn

LATENCY_PER_S: Final = 20.0
WARM_UP: Final = 40
IN_TIME: Final = ("product", "limit")
PEERS: Final = ("limit", "limit_packed", "plain_faststream", "celery")


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long a run is.

    Attributes:
        rounds: turns of each contender.
        turn_s: how long a turn should take at a contender's usual pace.
        latency_s: how long applications come at an even pace.
    """

    rounds: int
    turn_s: float
    latency_s: float


WHOLE: Final = Lengths(rounds=3, turn_s=8.0, latency_s=20.0)
QUICK: Final = Lengths(rounds=2, turn_s=4.0, latency_s=8.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything a run brought.

    Attributes:
        turns: by contender, in the order of the rounds.
        latency_ms: by contender, sorted, from the portal's confirm to `guarantee_issued`.
    """

    turns: dict[str, list[Result]]
    latency_ms: dict[str, list[float]]

    def rate(self, contender: str) -> float:
        """Applications per second, the median of the rounds."""
        return round(statistics.median(turn.per_s for turn in self.turns[contender]), 1)

    def ratios(self, peer: str) -> list[float]:
        """The product's rate over the peer's, round by round."""
        pairs = zip(self.turns[PRODUCT], self.turns[peer], strict=True)
        return [round(ours.per_s / theirs.per_s, 3) for ours, theirs in pairs]

    def figures(self) -> dict[str, Any]:
        """What `build/bench.json` holds."""
        latency = {name: {"p50": at(times, 0.5), "p99": at(times, 0.99)} for name, times in self.latency_ms.items()}
        names = self.turns[PRODUCT][0].rss_mb
        return {
            **{f"{name}_per_s": self.rate(name) for name in ("limit", "limit_packed", PRODUCT, *PEERS[2:])},
            **{f"ratio_to_{peer}": round(statistics.median(self.ratios(peer)), 3) for peer in PEERS},
            "latency_ms": latency,
            "rss_mb": {name: max(turn.rss_mb[name] for turn in self.turns[PRODUCT]) for name in names},
            "rounds": len(self.turns[PRODUCT]),
        }

    def details(self) -> dict[str, Any]:
        """What the report draws besides."""
        return {
            "per_s": {name: [round(turn.per_s, 1) for turn in turns] for name, turns in self.turns.items()},
            "ratios": {peer: self.ratios(peer) for peer in PEERS},
            "processor_ms": {name: _middle(turns) for name, turns in self.turns.items()},
            "latency_ms": self.latency_ms,
        }


def _middle(turns: Sequence[Result]) -> dict[str, float]:
    names = turns[0].processor_ms
    return {name: round(statistics.median(turn.processor_ms[name] for turn in turns), 3) for name in names}


def at(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of sorted values lies."""
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


async def measure(grounds: Grounds, lengths: Lengths) -> Measured:
    """Run all of it, saying what happens."""
    began_s = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - began_s:4.0f} s] {text}", flush=True)

    for contender in CONTENDERS:
        await grounds.prepare(contender.name, is_product=contender.name == PRODUCT)
    turns: dict[str, list[Result]] = {contender.name: [] for contender in CONTENDERS}
    for number in range(lengths.rounds):
        for contender in CONTENDERS:
            result = await turn(grounds, contender, f"r{number}", int(contender.per_s * lengths.turn_s))
            turns[contender.name].append(result)
            cost_ms = sum(result.processor_ms.values())
            told = f"{result.per_s:6.1f} applications/s, {cost_ms:5.2f} ms of processor each"
            say(f"round {number + 1}/{lengths.rounds}  {contender.name:<17} {told}")
    latency_ms = {}
    for contender in (one for one in CONTENDERS if one.name in IN_TIME):
        latency_ms[contender.name] = await latency(grounds, contender, int(LATENCY_PER_S * lengths.latency_s))
        p50, p99 = at(latency_ms[contender.name], 0.5), at(latency_ms[contender.name], 0.99)
        say(f"at {LATENCY_PER_S:g}/s    {contender.name:<17} p50 {p50} ms, p99 {p99} ms until it is issued")
    return Measured(turns, latency_ms)


async def latency(grounds: Grounds, contender: Contender, count: int) -> list[float]:
    """Milliseconds from confirm to `guarantee_issued`, sorted, while applications come at an even pace."""
    await grounds.sink("POST", "/forget")
    load = list(applications("latency", WARM_UP + count))
    async with started(grounds, contender):
        portal = Portal(grounds.portal_url(contender.name, PORTAL))
        async with portal.connected():
            await portal.listen()
            # The first ones open connections and fill caches.
            await portal.publish_at(load[:WARM_UP], LATENCY_PER_S)
            await portal.publish_at(load[WARM_UP:], LATENCY_PER_S)
            await finished(grounds, len(load))
            await check(grounds, contender.name, portal, [name for name, _ in load])
    return sorted((portal.issued[name] - portal.confirmed[name]) * 1000 for name, _ in load[WARM_UP:])
