"""The office reads who looked at a key, a portal reads nothing of it, and the key is in none of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.issuer.web.looks import LOOKS_SHOWN_MAX
from tests.service.issuer.bench import Bench
from tests.service.issuer.conftest import Door
from tests.unit.issuer.samples import ARRIVED_AT

LIST = "/v1/guarantees"


async def looks_at(door: Door, number: str) -> dict[str, Any]:
    """What the office is told."""
    status, told, headers = await door.call("GET", f"{LIST}/{number}/key-reveals", caller="office")
    assert (status, headers["cache-control"]) == (200, "no-store")
    found: dict[str, Any] = told
    return found


async def looked(bench: Bench, number: str, times: int) -> None:
    """So many looks, a minute apart, by viewers who are named 1, 2, 3 and so on."""
    await bench.pool.execute(
        "insert into auth_key_reveal (guarantee_number, portal, viewer, revealed_at)"
        " select $1, 'portal-a', n::text, $2::timestamptz + n * $3::interval from generate_series(1, $4::int) n",
        number,
        ARRIVED_AT,
        timedelta(minutes=1),
        times,
    )


async def test_the_office_reads_who_looked_when_from_where_and_on_what_but_never_the_key(
    bench: Bench, door: Door
) -> None:
    _, number, _ = await bench.issue()
    untouched = await looks_at(door, number)
    _, shown, _ = await door.call("POST", f"{LIST}/{number}/auth-key", body={"viewer": "三島 太郎"})
    await door.call("POST", f"{LIST}/{number}/key-notice", body={"viewer": "経理 花子"})
    told = await looks_at(door, number)
    times = [one.pop("revealed_at") for one in told["items"]]

    assert untouched == {"items": [], "has_more": False}
    assert told == {
        "items": [
            {"portal": "portal-a", "viewer": "経理 花子", "address": "127.0.0.1", "shown_by": "key_notice"},
            {"portal": "portal-a", "viewer": "三島 太郎", "address": "127.0.0.1", "shown_by": "page"},
        ],
        "has_more": False,
    }
    assert times == sorted(times, reverse=True)
    assert shown["auth_key"] not in json.dumps(told)


async def test_looks_from_before_say_what_was_noted_then(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    await looked(bench, number, 1)
    [look] = (await looks_at(door, number))["items"]

    assert (look["viewer"], look["address"], look["shown_by"]) == ("1", None, None)


@pytest.mark.parametrize(("times", "has_more"), [(LOOKS_SHOWN_MAX, False), (LOOKS_SHOWN_MAX + 1, True)])
async def test_the_newest_looks_are_told_and_that_there_were_more(
    bench: Bench, door: Door, times: int, has_more: bool
) -> None:
    _, number, _ = await bench.issue()
    await looked(bench, number, times)
    told = await looks_at(door, number)

    assert [one["viewer"] for one in told["items"]] == [str(times - back) for back in range(LOOKS_SHOWN_MAX)]
    assert told["has_more"] is has_more


async def test_the_looks_at_another_key_are_not_among_them(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    _, other, _ = await bench.issue()
    await looked(bench, other, 2)

    assert (await looks_at(door, number))["items"] == []


async def test_a_portal_is_answered_as_if_there_were_no_guarantee_even_of_its_own(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    own = await door.call("GET", f"{LIST}/{number}/key-reveals")
    unknown = await door.call("GET", f"{LIST}/99999-999999/key-reveals")
    for_office = [
        await door.call("GET", f"{LIST}/{one}/key-reveals", caller="office") for one in ("99999-999999", "nothing")
    ]

    assert own[0] == unknown[0] == 404
    assert own[1] == unknown[1]
    assert [status for status, _, _ in for_office] == [404, 404]
    assert (await door.call("GET", f"{LIST}/{number}/key-reveals", caller=""))[0] == 401
