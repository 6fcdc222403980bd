"""Everything that can be pressed in the console does what it says, is on record, and tells whoever was slower."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from services.ops.domain.troubles import Kind
from services.ops.store import alarms
from services.ops.store.alarms import Alarm
from shared.errands import Later, Settled
from shared.work import unit_of_work
from tests.eventually import eventually
from tests.service.ops.browsing import Person, at_the_console
from tests.service.ops.conftest import Desk
from tests.service.shared.outside import NAME, due, row
from tests.service.shared.telling import QUEUE, fact

GROUP = {"consumer": QUEUE, "code": "no_such_guarantee", "whole_group": "yes"}
WHERE = {"service": "issuer", "errand": NAME}


@pytest.fixture
async def operator(watched: Desk) -> AsyncIterator[Person]:
    """Somebody who may act."""
    async with at_the_console(watched.url, watched.servers.operator_token("operator")) as person:
        yield person


async def _park(desk: Desk, facts: int) -> None:
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        for number in range(1, facts + 1):
            work.park(fact(number), "no_such_guarantee", "nobody knows it")
    await desk.parked(facts)


async def _ids(person: Person) -> list[str]:
    text = await person.opens(f"/parked/facts?consumer={QUEUE}")
    return re.findall(r'name="id" value="([0-9a-f-]+)"', text)


async def _until(told: Callable[[], Awaitable[None]]) -> None:
    """Wait until the console tells this, within what it promises and what a busy machine needs besides."""

    async def is_so() -> bool:
        await told()
        return True

    await eventually(is_so)


async def _acts(desk: Desk) -> list[tuple[str, str, str]]:
    return [(one["who"], one["what"], one["reason"]) for one in (await desk.get("/v1/acts"))["acts"]]


async def test_a_group_is_counted_first_then_replayed_and_followed_to_its_end(watched: Desk, operator: Person) -> None:
    await _park(watched, 30)
    await _ids(operator)
    dry = await operator.sends("/parked/act", {**GROUP, "verb": "replay", "reason": "直しました", "step": "dry"})
    untouched = len(await _ids(operator))
    await operator.sends("/parked/act", {**GROUP, "verb": "replay", "reason": "直しました", "step": "do"})
    address = operator.address

    async def is_over() -> str:
        text = await operator.opens(address)
        assert "30 of 30 have arrived" in text
        return text

    text = await eventually(is_over, within_s=60)

    await watched.journalled(1)

    assert "30 would be acted on" in dry
    assert untouched == 30
    assert address.startswith("/parked/progress/")
    assert "It is over" in text
    assert watched.hearer.has_each_once(range(1, 31))
    assert await _acts(watched) == [("operator", "parked.replay", "直しました")]


async def test_what_the_dry_run_shows_is_what_its_button_does(watched: Desk, operator: Person) -> None:
    """The page of the dry run brings everything the act needs, so pressing its button is enough."""
    await _park(watched, 3)
    first, *_ = await _ids(operator)
    page = await operator.sends("/parked/act", {"id": first, "verb": "discard", "reason": "a test", "step": "dry"})
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.rpartition("<main")[2]))
    text = await operator.sends("/parked/act", fields)

    assert fields["step"] == "do"
    assert "1 were acted on" in text
    assert len(await _ids(operator)) == 2
    assert "discarded – operator" in re.sub(r"\s+", " ", await operator.opens(f"/parked/fact/{first}"))


async def test_of_two_operators_at_the_desk_one_wins_and_the_other_is_told(watched: Desk, operator: Person) -> None:
    await _park(watched, 20)
    ids = await _ids(operator)
    async with at_the_console(watched.url, watched.servers.operator_token("operator")) as other:
        await other.opens("/due")
        fields = {"id": ids, "verb": "discard", "reason": "both of us", "step": "do"}
        texts = await asyncio.gather(operator.sends("/parked/act", fields), other.sends("/parked/act", fields))
    acted = [int(re.search(r"(\d+) were acted on", text)[1]) for text in texts]  # type: ignore[index]

    assert sum(acted) == 20
    assert sum("Somebody was faster" in text for text in texts) == sum(count < 20 for count in acted)


async def test_nothing_chosen_or_nonsense_is_told_and_changes_nothing(watched: Desk, operator: Person) -> None:
    await _park(watched, 1)
    await _ids(operator)
    for path, fields in (
        ("/parked/act", {"verb": "replay"}),
        ("/parked/act", {"verb": "burn", **GROUP}),
        ("/parked/act", {"verb": "discard", "id": "x", "step": "do"}),
        ("/due/act", {"verb": "now", **WHERE}),
        ("/due/act", {"verb": "burn", "key": "a", **WHERE}),
        ("/due/act", {"verb": "now", "key": "a", "service": "issuer", "errand": "../x"}),
        ("/due/act", {"verb": "now", "key": "a", "service": "elsewhere", "errand": NAME}),
        ("/stage/act", {"verb": "burn", **WHERE}),
    ):
        await operator.sends(path, {"reason": "because", **fields})

        assert operator.status == 422, (path, fields)
    assert await _acts(watched) == []
    assert len(await _ids(operator)) == 1


async def test_rows_are_held_released_and_tried_now_and_the_slower_is_told(watched: Desk, operator: Person) -> None:
    watched.outside.otherwise = lambda _: Later("closed for now", after_s=600)
    await due(watched.issuer.desk(), row("a/1"), row("b/1"))

    async def both_wait() -> None:
        text = await operator.opens(f"/due?errand={NAME}&which=waiting")
        assert text.count('name="key"') == 2
        assert "closed for now" in text

    await _until(both_wait)
    hold = {**WHERE, "verb": "hold", "key": ["a/1", "x"], "reason": "look first"}
    held = await operator.sends("/due/act", hold)
    again = await operator.sends("/due/act", {**hold, "key": "a/1"})

    async def front_tells() -> None:
        assert f'data-kind="{Kind.ROWS_HELD}"' in await operator.opens("/")

    await _until(front_tells)
    watched.outside.otherwise = lambda one: Settled(one.key)
    now = await operator.sends("/due/act", {**WHERE, "verb": "now", "key": "b/1", "reason": "it is open"})
    released = await operator.sends("/due/act", {**WHERE, "verb": "release", "key": "a/1", "reason": "it is right"})
    await eventually(lambda: set(watched.outside.settled) == {"a/1", "b/1"})
    await watched.journalled(4)

    assert "1 of 2 were acted on" in held
    assert "There is no such row" in held
    assert "It is held already; somebody was faster" in again
    assert "Done." in now
    assert "Done." in released
    assert [what for _, what, _ in await _acts(watched)] == [
        f"due.release {NAME}",
        f"due.now {NAME}",
        f"due.hold {NAME}",
        f"due.hold {NAME}",
    ]


async def test_an_outside_is_paused_and_resumed_and_the_second_is_told_who_was_first(
    watched: Desk, operator: Person
) -> None:
    await operator.opens(f"/due?errand={NAME}")
    paused = await operator.sends("/stage/act", {**WHERE, "verb": "pause", "reason": "点検のため"})
    again = await operator.sends("/stage/act", {**WHERE, "verb": "pause", "reason": "me too"})
    front = await operator.opens("/")
    probed = await operator.sends("/stage/act", {**WHERE, "verb": "probe", "reason": "is it there"})
    resumed = await operator.sends("/stage/act", {**WHERE, "verb": "resume", "reason": "over"})
    after = await operator.opens("/")

    assert "Done." in paused
    assert "somebody was faster" in again
    assert "operator: 点検のため" in again
    assert f'data-kind="{Kind.STAGE_PAUSED}"' in front
    assert "nothing to probe" in probed
    assert "Done." in resumed
    assert f'data-kind="{Kind.STAGE_PAUSED}"' not in after


async def test_a_double_is_acknowledged_once_and_the_second_is_told(watched: Desk, operator: Person) -> None:
    async with watched.ops.pool.acquire() as connection:
        await alarms.sound(connection, Alarm("double", "a double thing", "told twice of one thing", ["portal-a/A-1"]))
    page = await operator.opens("/ledger")
    fields = {"key": "a double thing", "reason": "it was our test"}
    await operator.sends("/ledger/acknowledge", fields)
    status = operator.status
    text = await operator.sends("/ledger/acknowledge", fields)

    assert 'action="/ledger/acknowledge"' in page
    assert (status, operator.status) == (200, 409)
    assert "somebody was faster" in text
    assert 'action="/ledger/acknowledge"' not in await operator.opens("/ledger")
