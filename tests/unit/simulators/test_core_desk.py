"""What the office hears is kept once, and is still there when the program comes back."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from aio_pika.abc import AbstractIncomingMessage

from simulators.core.desk import CHANGE_REFUSED, PAPER_ORDERED, SCHEMA, Desk
from simulators.ledger import Ledger, Survives
from tests.unit.simulators.folders import example


def pack(*events: dict[str, Any]) -> AbstractIncomingMessage:
    body, kind = json.dumps(list(events)).encode(), "application/cloudevents-batch+json"
    return cast(AbstractIncomingMessage, SimpleNamespace(body=body, content_type=kind, headers={}, message_id="m"))


def event(identity: str, kind: str, data: object) -> dict[str, Any]:
    return {
        "id": identity,
        "type": kind,
        "source": "issuer",
        "subject": "s",
        "time": "2026-07-01T00:00:00Z",
        "data": data,
    }


def order(identity: str, **changed: Any) -> dict[str, Any]:
    return event(identity, PAPER_ORDERED, example("paper_ordered") | changed)


@asynccontextmanager
async def desk(storage: Path | str = ":memory:") -> AsyncIterator[Desk]:
    ledger = Ledger(storage, SCHEMA, Survives.KILL)
    await ledger.open()
    yield Desk(ledger)
    await ledger.close()


async def test_an_order_that_comes_again_is_one_order() -> None:
    async with desk() as office:
        await office.take([pack(order("1"), order("2", application_id="A-2")), pack(order("1"))])
        found = await office.orders()
        one = await office.orders(portal="portal-a", application_id="A-2")

    assert [(row["event_id"], row["copies"]) for row in found] == [("1", 2), ("2", 1)]
    assert [row["event_id"] for row in one] == ["2"]
    assert found[0]["order"] == example("paper_ordered")


async def test_what_was_heard_outlives_the_program(tmp_path: Path) -> None:
    async with desk(tmp_path / "core.sqlite") as before:
        await before.take([pack(order("1"))])
    async with desk(tmp_path / "core.sqlite") as after:
        await after.take([pack(order("1"))])

        assert [row["copies"] for row in await after.orders()] == [2]


async def test_what_is_no_event_is_counted_and_holds_nobody_up() -> None:
    nonsense = cast(
        AbstractIncomingMessage, SimpleNamespace(body=b"\xff", content_type=None, headers={}, message_id=None)
    )
    async with desk() as office:
        odd = {"portal": "\ud800", "application_id": float("nan"), "guarantee_number": {"a": "\x00"}}
        await office.take(
            [nonsense, pack(event("1", PAPER_ORDERED, ["no object"]), event("\udfff", PAPER_ORDERED, odd))]
        )
        await office.take([pack(order("2"))])

        assert office.unreadable == 1
        assert len(await office.orders()) == 3
        assert json.dumps(await office.orders(), ensure_ascii=False).encode()
        assert len(await office.orders(portal="portal-a")) == 1


async def test_refusals_are_found_by_guarantee_and_by_change() -> None:
    refused = {"portal": "office", "change_id": "OFFICE-1", "guarantee_number": "00000-000001"}
    problems = example("change_rejected")["problems"]
    async with desk() as office:
        await office.take([pack(event("1", CHANGE_REFUSED, refused | {"problems": problems}), order("2"))])

        assert await office.refusals("00000-000001") == {"OFFICE-1": problems}
        assert await office.refusals("00000-000002") == {}
