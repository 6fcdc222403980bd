"""What has happened before a person opens a page: applications sent over the public door, waited for until they stand.

They come through a portal whose own program does not run here, so that no other page is part of the story.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from simulators.portal.doors import Doors
from tests.eventually import eventually
from tests.system import System

PORTAL = "portal-c"
WITHIN_S = 60.0


@asynccontextmanager
async def portal_doors(system: System) -> AsyncIterator[Doors]:
    """The doors as that portal."""
    async with Doors(system.url("intake"), system.url("issuer"), system.token(PORTAL)) as doors:
        yield doors


async def applied(doors: Doors, application: dict[str, Any], *statuses: str) -> list[dict[str, Any]]:
    """The guarantees of an application, by number, once each line stands at its status."""
    reply = await doors.apply(application)
    assert reply.status == 202, reply.body

    async def standing() -> list[dict[str, Any]]:
        items = (await doors.guarantees(application_id=application["application_id"])).json()["items"]
        assert [item["status"] for item in reversed(items)] == list(statuses), items
        return list(reversed(items))

    return await eventually(standing, within_s=WITHIN_S)


async def standing_at(doors: Doors, number: str, status: str, *history: str) -> dict[str, Any]:
    """A guarantee as its portal reads it, once it stands at this status and shows this history (対象 by row)."""

    async def shown() -> dict[str, Any]:
        detail: dict[str, Any] = (await doors.guarantee(number)).json()
        told = detail["status"], [row["version_kind_ja"] for row in detail["history"]]
        assert told == (status, list(history)), detail
        return detail

    return await eventually(shown, within_s=WITHIN_S)


def change_of(application: dict[str, Any], number: str, **values: Any) -> dict[str, Any]:
    """A 変更 by the portal, in the published shape."""
    return {
        "change_id": f"{application['application_id']}-C",
        "portal": PORTAL,
        "submitted_at": "2026-06-01T10:00:00+09:00",
        "customer_number": application["contractor"]["customer_number"],
        "guarantee_number": number,
        "base_version": 1,
        "version_kind": "change",
        "corrections": {},
        "completion_mail": {"wanted": False, "address": None},
    } | values
