"""`hosho announce`: tell again what became true since a moment, from the service's own rows and under the same ids.

For facts that nobody heard because a binding was missing. Rows go into the outbox; the running service publishes them.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from deploy.places import PORTALS_FILE
from deploy.settings import DeploySettings
from shared.errors import Misconfigured
from shared.portals import Portals

if TYPE_CHECKING:
    from shared import postgres

OUTBOX_ROWS_MAX: Final = 2_000
"""While so many rows wait, no more are added: the business goes first."""

LOOK_AGAIN_S: Final = 0.2
NOBODY: Final = 0

SERVICES: Final = ("issuer",)
"""Who can announce again; the other services' facts are answers to something that can be sent again itself."""


class _NoHands:
    """Nothing is published from here: rows are left to the service's own relay."""

    def reserve(self, rows: int) -> int:
        del rows
        return 0

    def give_back(self, rows: int) -> None:
        del rows

    def take(self, rows: Sequence[Any]) -> None:
        del rows

    async def roomy(self) -> None:
        """There is always room for nothing."""


def announce(
    service: Annotated[str, typer.Option(help="Whose facts.")],
    since: Annotated[str, typer.Option(help="RFC 3339, with an offset.")],
    portals_file: Annotated[Path, typer.Option("--portals", help="The portals file in use.")] = PORTALS_FILE,
) -> None:
    """Announce a service's facts again from its rows, under the same ids; takes the owner's HOSHO_DATABASE_URL."""
    if service not in SERVICES:
        raise Misconfigured(f"{service!r} cannot announce again; these can: {', '.join(SERVICES)}.")
    url = DeploySettings().database_url
    if url is None:
        raise Misconfigured("Give HOSHO_DATABASE_URL: the owner role's URL.")
    told = asyncio.run(_announce(url.get_secret_value(), service, _moment(since), Portals.load(portals_file)))
    print(f"{service}: {told} facts announced again; they go out while the service runs")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Misconfigured(f"--since {text!r} is no time; give one such as 2026-01-15T09:30:00+09:00.") from None
    if moment.tzinfo is None:
        raise Misconfigured(f"--since {text!r} has no offset; add +09:00 or Z.")
    return moment


async def _announce(url: str, service: str, since: datetime, portals: Portals) -> int:
    # Only this command needs a whole service, which takes a second to load; the others start without.
    from services.issuer.handlers.again import Place, announce_page  # noqa: PLC0415
    from shared import postgres  # noqa: PLC0415
    from shared.work import Desk, unit_of_work  # noqa: PLC0415

    page_of = {"issuer": announce_page}[service]
    pool = await postgres.open_pool(url, service, connections_max=1)
    desk = Desk(
        service=service,
        pool=pool,
        owner_id=NOBODY,
        shout=lambda: None,
        answered=lambda portal: portal in portals and portals.get(portal).answers == "queue",
        relay=_NoHands(),
        errands={},
    )
    told, place = 0, Place()
    try:
        while True:
            async with unit_of_work(desk, f"{service}.announce") as work:
                count, following = await page_of(work, since, place)
            told += count
            if following is None:
                return told
            place = following
            await _room(pool)
    finally:
        await pool.close()


async def _room(pool: "postgres.Pool") -> None:
    from shared import outbox  # noqa: PLC0415 - as above.

    while True:
        async with pool.acquire() as connection:
            if await outbox.depth(connection, OUTBOX_ROWS_MAX) < OUTBOX_ROWS_MAX:
                return
        await asyncio.sleep(LOOK_AGAIN_S)
