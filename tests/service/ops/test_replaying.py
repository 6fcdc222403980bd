"""What is parked can be sent again to its one hearer: nothing is doubled, and of two who press one is told."""

import asyncio
import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.envelope import Fact, Unreadable
from shared.work import unit_of_work
from tests.eventually import eventually
from tests.service.ops.conftest import Desk
from tests.service.shared.telling import QUEUE, fact

MANY = 1_000
GROUP = {"consumer": QUEUE}


async def _park(desk: Desk, numbers: Sequence[int]) -> None:
    """Let the issuer fail at these, until they lie on the desk."""
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        for number in numbers:
            work.park(fact(number), "no_such_guarantee", "nobody knows it")
    await desk.parked(len(numbers))


async def _told(desk: Desk, state: str) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = (await desk.get("/v1/parked/facts", state=state, limit="1000"))["facts"]
    return facts


async def _done(desk: Desk, act_id: str, facts: int) -> None:
    async def is_so() -> bool:
        progress = await desk.get(f"/v1/parked/replays/{act_id}")
        assert (progress["done"], progress["underway"]) == (facts, 0), progress
        return True

    await eventually(is_so, within_s=60)


async def test_a_thousand_parked_facts_are_replayed_as_a_group_and_nothing_is_doubled(desk: Desk) -> None:
    await _park(desk, range(MANY))
    dry = await desk.post(
        "/v1/parked/replay", {"group": GROUP, "reason": "the guarantees are there now", "dry_run": True}
    )
    before = len(desk.hearer.batches)
    done = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "the guarantees are there now"})
    await _done(desk, done["act_id"], MANY)
    again = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "once more"})

    assert (dry["facts"], dry["dry_run"], before) == (MANY, True, 0)
    assert (done["facts"], done["obstacles"], done["left"]) == (MANY, [], False)
    assert desk.hearer.has_each_once(range(MANY))
    assert again["facts"] == 0


async def test_a_replay_has_its_own_id_and_goes_to_the_one_hearer_that_parked_it(desk: Desk) -> None:
    await _park(desk, [1])
    (parked,) = await _told(desk, "open")
    done = await desk.post("/v1/parked/replay", {"ids": [parked["id"]], "reason": "mended"})
    await _done(desk, done["act_id"], 1)
    known = await desk.issuer.pool.fetch("select message_id, outcome, replay, consumer from inbox")

    assert [tuple(row) for row in known] == [(fact(1).id, "done", 1, QUEUE)]
    assert (await _told(desk, "replayed"))[0]["acted_why"] == "mended"


async def test_what_was_done_meanwhile_is_said_and_not_sent(desk: Desk) -> None:
    await _park(desk, [1, 2])
    await desk.issuer.pool.execute("update inbox set outcome = 'done' where message_id = $1", fact(2).id)
    tried = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "mended"})

    assert tried["facts"] == 1
    assert [(one["obstacle"], one["facts"]) for one in tried["obstacles"]] == [("already_done", 1)]


async def test_a_replay_that_fails_again_lies_on_the_desk_again_and_can_be_replayed_again(desk: Desk) -> None:
    await _park(desk, [1])
    desk.hearer.bad["A-1"] = ValueError("still")
    first = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "perhaps mended"})
    await desk.parked(1)
    progress = await desk.get(f"/v1/parked/replays/{first['act_id']}")
    desk.hearer.bad.clear()
    second = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "now it is"})
    await _done(desk, second["act_id"], 1)

    assert (progress["done"], progress["parked_again"]) == (0, 1)
    assert desk.hearer.has_each_once(range(1, 2))


async def test_of_two_operators_who_press_at_once_one_wins_and_the_other_is_told(desk: Desk) -> None:
    await _park(desk, range(40))
    ids = [one["id"] for one in await _told(desk, "open")]
    wish = {"ids": ids, "reason": "mended"}
    answers = await asyncio.gather(
        desk.post("/v1/parked/replay", wish),
        desk.post("/v1/parked/discard", wish),
        desk.post("/v1/parked/replay", wish),
    )

    assert sum(answer["facts"] for answer in answers) == len(ids)
    for answer in answers:
        assert answer["facts"] + sum(one["facts"] for one in answer["obstacles"]) == len(ids)
        assert {one["obstacle"] for one in answer["obstacles"]} <= {"already_acted_on", "already_done"}


async def test_what_is_discarded_stays_with_who_did_it_and_why(desk: Desk) -> None:
    await _park(desk, [1])
    (parked,) = await _told(desk, "open")
    done = await desk.post("/v1/parked/discard", {"ids": [parked["id"]], "reason": "a test of ours"})
    tried = await desk.post("/v1/parked/replay", {"ids": [parked["id"]], "reason": "or not"})
    (kept,) = await _told(desk, "discarded")

    assert done["facts"] == 1
    assert tried["obstacles"][0]["obstacle"] == "already_acted_on"
    assert (kept["acted_by"], kept["acted_why"]) == ("operator", "a test of ours")


async def test_what_is_not_here_whole_says_so_and_is_not_sent(desk: Desk) -> None:
    big = fact(1, message_id="x" * 300_000)
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        work.park(big, "no_such_guarantee", "nobody knows it")
        work.park(Unreadable.of(b"{", "not JSON"), "unreadable", "not JSON")
    await desk.parked(2)
    tried = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "mended"})

    assert tried["facts"] == 0
    assert {one["obstacle"] for one in tried["obstacles"]} == {"body_not_kept", "not_readable"}


async def test_a_second_content_under_one_id_lies_beside_the_first(desk: Desk) -> None:
    """Both are parked in one transaction, and neither message stands in the way of the other."""
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        work.park(fact(1), "no_such_guarantee", "nobody knows it")
        work.put_aside(
            Fact(**{**_fields(fact(1)), "data": b'{"other": 1}'}), "same_id_other_content", "another content"
        )
    await desk.parked(2)
    facts = await _told(desk, "open")

    assert {one["obstacle"] for one in facts} == {None, "other_content_done"}


def _fields(one: Fact) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}


async def test_every_act_is_in_the_journal_with_its_reason(desk: Desk) -> None:
    await _park(desk, [1])
    await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "直しました"})
    await desk.journalled(1)
    (act,) = (await desk.get("/v1/acts"))["acts"]

    assert (act["who"], act["what"], act["count"], act["reason"]) == ("operator", "parked.replay", "1", "直しました")


async def test_a_viewer_reads_and_does_not_act_and_a_stranger_does_neither(desk: Desk) -> None:
    wish = {"group": GROUP, "reason": "mended"}
    status, _ = await desk.ask("POST", "/v1/parked/replay", who="viewer", body=wish)
    async with desk.http.get(f"{desk.url}/v1/parked", headers={"Authorization": "Bearer x"}) as answer:
        stranger = answer.status

    assert (status, stranger) == (403, 401)


async def test_an_act_without_a_reason_or_without_facts_is_refused(desk: Desk) -> None:
    for wish in ({"group": GROUP}, {"group": GROUP, "reason": "  "}, {"reason": "mended"}):
        status, problem = await desk.ask("POST", "/v1/parked/replay", who="operator", body=wish)

        assert status == 422, problem
    assert (await desk.ask("GET", f"/v1/parked/replays/{uuid.uuid4()}", who="viewer"))[0] == 404


async def test_through_the_door_of_ops_a_service_is_asked_with_the_persons_own_token(desk: Desk) -> None:
    """What the service answers comes back as it is; what a viewer may not do at it, a viewer may not do here."""
    state = await desk.get("/v1/services/issuer/state")
    pause, path = {"reason": "to see"}, "/v1/services/issuer/stages/nothing/pause"
    absent, problem = await desk.ask("POST", path, who="operator", body=pause)
    refused, _ = await desk.ask("POST", path, who="viewer", body=pause)
    away, _ = await desk.ask("GET", "/v1/services/intake/state", who="viewer")

    assert state["service"] == "issuer"
    assert (absent, refused, away) == (404, 403, 404)
    assert "no errands" in problem["detail"]


async def test_a_replay_to_a_door_which_answers_every_delivery_is_noted_as_done_too(desk: Desk) -> None:
    """A door has no inbox of its own; the desk must know all the same that its replay arrived."""
    await _park(desk, [1])
    (consumer,) = desk.issuer.consumers
    consumer.hearing = replace(consumer.hearing, remembers=False)
    done = await desk.post("/v1/parked/replay", {"group": GROUP, "reason": "mended"})
    await _done(desk, done["act_id"], 1)

    assert desk.hearer.counts["A-1"] == 1
