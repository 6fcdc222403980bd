"""What people ask of a large journal: look-ups by whatever they know, and every page of the console."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote

import aiohttp

from bench.checks import Incomplete
from bench.contenders.work import ACCEPTED
from bench.journal import told
from bench.journal.statements import ServerLog

QUESTIONS: Final = 300
PAGES_EACH: Final = 100
WARM_UP: Final = 10

Ask = Callable[[Random], str]
"""The path of one question."""

_CSRF: Final = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass(frozen=True, slots=True)
class Asked:
    """How long one kind of question took, sorted.

    Attributes:
        whole_ms: from the request to the last byte of the answer.
        server_ms: what of it the database spent on statements.
    """

    whole_ms: list[float]
    server_ms: list[float]


def look_ups(applications: int) -> Mapping[str, Ask]:
    """Look-ups as `hosho` and the console make them, for applications from everywhere in the journal."""

    def found(text: Callable[[int], str]) -> Ask:
        return lambda dice: "/v1/journeys?q=" + quote(text(dice.randrange(applications)))

    return {
        "id": found(told.application_id),
        "guarantee number": found(told.guarantee_number),
        "contractor": found(told.contractor),
        "part of a contractor": found(lambda number: told.contractor(number)[2:7]),
        "project": found(told.project),
        "a word of many projects": lambda dice: "/v1/journeys?q=" + quote(dice.choice(told.WORKS)),
        "one letter": lambda dice: "/v1/journeys?q=" + quote(dice.choice("田町橋校")),
        "nothing fits": lambda dice: "/v1/journeys?q=" + quote(f"無い工事{dice.randrange(1_000)}"),
        "the obligee of all": lambda _: "/v1/journeys?q=" + quote("三島市長"),
        "journey": lambda dice: f"/v1/journeys/{told.PORTAL}/{told.application_id(dice.randrange(applications))}",
    }


def pages(applications: int) -> Mapping[str, Ask]:
    """Every page of the console."""
    return {
        "now": lambda _: "/",
        "flow": lambda _: "/flow",
        "search, by contractor": lambda dice: f"/journey?q={quote(told.contractor(dice.randrange(applications)))}",
        "search, by number": lambda dice: f"/journey?q={told.guarantee_number(dice.randrange(applications))}",
        "journey": lambda dice: f"/journey/{told.PORTAL}/{told.application_id(dice.randrange(applications))}",
        "parked": lambda _: "/parked",
        "parked, a group": lambda _: f"/parked/facts?consumer={told.PARKED_AT}&code={told.PARKED_FOR}&type={ACCEPTED}",
        "due": lambda _: "/due",
        "ledger": lambda _: "/ledger",
        "acts": lambda _: "/acts",
        "acts, further back": lambda dice: f"/acts?before={dice.randrange(1_000, applications)}",
        "runbook": lambda _: "/runbook",
    }


async def ask(session: aiohttp.ClientSession, kinds: Mapping[str, Ask], times: int, log: ServerLog) -> dict[str, Asked]:
    """Ask each kind so many times, one question after the other."""
    taken: dict[str, Asked] = {}
    for kind, path in kinds.items():
        dice = Random(kind)  # Repeatable on purpose; nothing here is secret.
        whole_ms, server_ms = [], []
        for number in range(WARM_UP + times):
            log.spent_ms()
            took_ms = await _ask(session, path(dice))
            if number >= WARM_UP:
                whole_ms.append(took_ms)
                server_ms.append(log.spent_ms())
        taken[kind] = Asked(sorted(whole_ms), sorted(server_ms))
    return taken


async def _ask(session: aiohttp.ClientSession, path: str) -> float:
    began_s = time.monotonic()
    async with session.get(path) as answer:
        await answer.read()
        # A single finding leads to its journey, and who is not in is led to the way in.
        if answer.status != 200 or answer.url.path == "/login":
            raise Incomplete(f"{path} was answered {answer.status} by {answer.url.path}")
    return (time.monotonic() - began_s) * 1000


async def log_in(session: aiohttp.ClientSession, token: str) -> None:
    """Begin a session at the console."""
    async with session.get("/login") as page:
        found = _CSRF.search(await page.text())
    fields = {"token": token, "next": "/", "csrf": found[1] if found else ""}
    async with session.post("/login", data=fields, allow_redirects=False) as answer:
        if answer.status != 303:
            raise Incomplete(f"the console let nobody in: {answer.status}")
