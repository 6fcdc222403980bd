"""The operator door of a living service: what waits is told, and what is pressed happens and is on record."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from shared import topology
from shared.errands import Claimed, Due, Errand, Later, Outcome, Settled
from shared.messages.operator import OperatorActed
from shared.operator_door.operators import Operators
from shared.service.running import Running
from shared.work import unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living, operator_door
from tests.service.shared.telling import Mouth

ERRAND = "post_certificate"


@dataclass
class Door:
    """A service with one errand, and whoever asks at its door."""

    servers: Servers
    running: Running
    url: str
    http: aiohttp.ClientSession
    answers: list[Outcome]

    async def ask(self, method: str, path: str, *, who: str = "operator", body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.servers.operator_token(who)}"}
        async with self.http.request(method, f"{self.url}/operator{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def make_due(self, *keys: str) -> None:
        async with unit_of_work(self.running.desk()) as work:
            work.make_due(
                ERRAND, [Due(key=key, turn_of="portal-a", payload=b"secret", correlation="c") for key in keys]
            )

    async def waiting(self, *keys: str) -> None:
        """Wait until exactly these rows wait for their time."""

        async def is_so() -> bool:
            _, told = await self.ask("GET", f"/due?errand={ERRAND}&which=waiting", who="viewer")
            assert sorted(row["key"] for row in told["rows"]) == sorted(keys), told
            return True

        await eventually(is_so)


@pytest.fixture
async def door(emptied: Servers) -> AsyncIterator[Door]:
    """A bridge whose outside always says: later."""
    answers: list[Outcome] = []

    async def call(_: Claimed) -> Outcome:
        return answers[0] if answers else Later("closed for now", after_s=600)

    async def nothing(*_: Any) -> None:
        return None

    errand = Errand(name=ERRAND, call=call, record=nothing, slots=4, call_timeout_s=5, lease_s=15)
    async with (
        living(emptied, "platform_bridge", errands=[errand]) as running,
        operator_door(running, Operators.load(emptied.operators_file)) as url,
        aiohttp.ClientSession() as http,
    ):
        yield Door(emptied, running, url, http, answers)


async def test_what_waits_is_told_with_its_reason_and_without_its_payload(door: Door) -> None:
    await door.make_due("00000-000001/1")
    await door.waiting("00000-000001/1")
    _, told = await door.ask("GET", f"/due?errand={ERRAND}&which=waiting", who="viewer")
    _, state = await door.ask("GET", "/state", who="viewer")

    assert told["rows"][0]["last_error"] == "closed for now"
    assert "payload" not in told["rows"][0]
    assert (state["service"], state["ready"], state["stages"][0]["rows"]["waiting"]) == ("platform_bridge", True, 1)


async def test_rows_can_be_held_released_and_tried_now(door: Door) -> None:
    await door.make_due("a/1", "b/1")
    await door.waiting("a/1", "b/1")
    _, held = await door.ask("POST", f"/due/{ERRAND}/hold", body={"keys": ["a/1", "x"], "reason": "look first"})
    _, again = await door.ask("POST", f"/due/{ERRAND}/hold", body={"keys": ["a/1"], "reason": "look first"})
    door.answers.append(Settled(None))
    _, now = await door.ask("POST", f"/due/{ERRAND}/now", body={"keys": ["b/1"], "reason": "it is open again"})
    _, released = await door.ask("POST", f"/due/{ERRAND}/release", body={"keys": ["a/1"], "reason": "it is right"})
    await eventually(lambda: door.running.pool.fetchval("select count(*) = 2 from errand where state = 'settled'"))

    assert [(row["key"], row["told"]) for row in held["rows"]] == [("a/1", "done"), ("x", "no_such_row")]
    assert [row["told"] for row in (*again["rows"], *now["rows"], *released["rows"])] == [
        "held_already",
        "done",
        "done",
    ]


async def test_of_two_operators_who_pause_one_is_told_who_was_faster(door: Door) -> None:
    wishes = [door.ask("POST", f"/stages/{ERRAND}/pause", body={"reason": f"reason {number}"}) for number in (1, 2)]
    answers = [answer for _, answer in await asyncio.gather(*wishes)]
    _, resumed = await door.ask("POST", f"/stages/{ERRAND}/resume", body={"reason": "over"})
    _, probed = await door.ask("POST", f"/stages/{ERRAND}/probe", body={"reason": "is it there"})

    assert sorted(answer["told"] for answer in answers) == ["done", "paused_already"]
    assert len({answer["stage"]["paused"]["reason"] for answer in answers}) == 1
    assert (resumed["told"], probed["told"]) == ("done", "not_stopped")


async def test_what_becomes_due_while_an_outside_is_paused_waits_as_due_until_it_is_resumed(door: Door) -> None:
    door.answers.append(Settled(None))
    await door.ask("POST", f"/stages/{ERRAND}/pause", body={"reason": "点検のため"})
    await door.make_due("a/1")

    async def is_due() -> bool:
        _, told = await door.ask("GET", f"/due?errand={ERRAND}&which=due", who="viewer")
        _, state = await door.ask("GET", "/stages", who="viewer")
        assert [row["key"] for row in told["rows"]] == ["a/1"], state
        return True

    await eventually(is_due)
    await door.ask("POST", f"/stages/{ERRAND}/resume", body={"reason": "over"})
    await eventually(lambda: door.running.pool.fetchval("select count(*) = 1 from errand where state = 'settled'"))


async def test_each_act_goes_to_the_journal_with_who_did_it_and_why(door: Door, mouth: Mouth) -> None:
    await door.ask("POST", f"/stages/{ERRAND}/pause", body={"reason": "点検のため"})
    await mouth.holds(1, topology.JOURNAL_QUEUE)
    (record,) = await mouth.taken(topology.JOURNAL_QUEUE)
    (told,) = json.loads(record.body)["facts"]

    assert told["type"] == OperatorActed.TYPE
    assert told["search"] == {
        "who": "operator", "what": f"stage.pause {ERRAND}", "keys": ERRAND, "count": "1", "reason": "点検のため",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/state"), ("GET", "/stages"), ("GET", f"/due?errand={ERRAND}"), ("GET", "/ledger"), ("POST", "/endings")],
)
async def test_nobody_comes_in_without_a_token(door: Door, method: str, path: str) -> None:
    for header in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {door.servers.token('portal-a')}"},
    ):
        async with door.http.request(method, f"{door.url}/operator{path}", headers=header) as answer:
            assert answer.status == 401


async def test_a_viewer_may_not_press_anything(door: Door) -> None:
    for path, body in ((f"/stages/{ERRAND}/pause", {}), (f"/due/{ERRAND}/now", {"keys": ["a"]})):
        status, _ = await door.ask("POST", path, who="viewer", body={"reason": "because", **body})

        assert status == 403


async def test_what_is_not_there_or_has_no_reason_is_refused(door: Door) -> None:
    assert (await door.ask("POST", "/stages/other/pause", body={"reason": "because"}))[0] == 404
    assert (await door.ask("POST", f"/stages/{ERRAND}/burn", body={"reason": "because"}))[0] == 422
    assert (await door.ask("POST", f"/stages/{ERRAND}/pause", body={"reason": " "}))[0] == 422
    assert (await door.ask("GET", "/ledger/lines", who="viewer"))[0] == 404
