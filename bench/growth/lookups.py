"""What people look up, through the issuer's door, and how long the slowest of it takes."""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from random import Random
from typing import Final

import aiohttp
import asyncpg

from bench.applications import PORTAL
from bench.contenders.described import PRODUCT
from bench.grounds import Grounds

QUESTIONS: Final = 300
WARM_UP: Final = 30
PROJECTS: Final = ("護岸", "体育館", "管渠", "橋梁補修", "子局", "道路改良")


async def look_up(grounds: Grounds) -> dict[str, list[float]]:
    """Milliseconds of each kind of question, sorted."""
    numbers = await _numbers(grounds)
    kinds: dict[str, Callable[[Random], str]] = {
        "list": lambda _: "?limit=50",
        "search": lambda dice: f"?limit=50&project={dice.choice(PROJECTS)}",
        "detail": lambda dice: f"/{dice.choice(numbers)}",
        "number": lambda dice: f"?number={dice.choice(numbers)}",
    }
    base = f"{grounds.place(PRODUCT).url('issuer')}/v1/guarantees"
    headers = {"Authorization": f"Bearer {grounds.stack.secrets.portal_tokens[PORTAL]}"}
    taken: dict[str, list[float]] = {}
    async with aiohttp.ClientSession(headers=headers) as session:
        for kind, path in kinds.items():
            dice = Random(kind)
            times = [await _ask(session, base + path(dice)) for _ in range(WARM_UP + QUESTIONS)]
            taken[kind] = sorted(times[WARM_UP:])
    return taken


async def _ask(session: aiohttp.ClientSession, url: str) -> float:
    """Ask until the door answers; a portal that asks too fast is told to wait, and that wait is not the answer's."""
    while True:
        began_s = time.monotonic()
        async with session.get(url) as answer:
            await answer.read()
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                answer.raise_for_status()
                return (time.monotonic() - began_s) * 1000
        await asyncio.sleep(float(answer.headers["Retry-After"]))


async def _numbers(grounds: Grounds) -> list[str]:
    """Numbers from everywhere in the table."""
    connection = await asyncpg.connect(grounds.database_url(PRODUCT))
    try:
        count = await connection.fetchval("select count(*) from issuer.guarantee")
        every = max(1, count // QUESTIONS)
        rows = await connection.fetch(
            "select guarantee_number from (select guarantee_number, row_number() over () as no from issuer.guarantee)"
            " as numbered where no % $1 = 0",
            every,
        )
        return [row["guarantee_number"] for row in rows]
    finally:
        await connection.close()
