"""A change is read by its id: what it made, or why it made nothing; a portal reads its own, the office everybody's."""

from tests.service.issuer.bench import Bench, arrived, change
from tests.service.issuer.changing import RAISED, by_office, correction
from tests.service.issuer.conftest import Door

CHANGES = "/v1/changes"


async def test_a_change_tells_the_version_it_made_and_when_that_was_issued(bench: Bench, door: Door) -> None:
    application_id, number, _ = await bench.issue()
    raised = change(number, **RAISED)
    before, _, _ = await door.call("GET", f"{CHANGES}/{raised.change_id}")
    await bench.hear(raised)
    _, on_its_way, _ = await door.call("GET", f"{CHANGES}/{raised.change_id}")
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    status, issued, _ = await door.call("GET", f"{CHANGES}/{raised.change_id}")

    assert before == 404
    assert (on_its_way["guarantee_number"], on_its_way["version"], on_its_way["issued_at"]) == (number, 2, None)
    assert (status, issued["version_kind"], issued["version"], issued["problems"]) == (200, "change", 2, [])
    assert issued["issued_at"] == "2026-01-15T09:30:02.117+09:00"


async def test_a_refused_change_tells_every_reason_and_no_version(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    stale = change(number, base_version=7, amount=20_000_001)
    await bench.hear(stale)
    _, told, _ = await door.call("GET", f"{CHANGES}/{stale.change_id}")

    assert [one["code"] for one in told["problems"]] == ["stale_version", "advance_over_maximum"]
    assert (told["version"], told["issued_at"]) == (None, None)


async def test_what_the_history_hides_has_no_time_here_either_but_for_the_office(bench: Bench, door: Door) -> None:
    application_id, number, _ = await bench.issue()
    raised = change(number, **RAISED)
    await bench.hear(raised)
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    await bench.hear(correction(number, 2, amount=23_000_000))
    await bench.hear(arrived(application_id, number, version=3, certificate_id="c-3"))
    _, ours, _ = await door.call("GET", f"{CHANGES}/{raised.change_id}")
    _, offices, _ = await door.call(
        "GET", f"{CHANGES}/{raised.change_id}", caller="office", query={"portal": "portal-a"}
    )

    assert (ours["version"], ours["issued_at"]) == (2, None)
    assert offices["issued_at"] is not None


async def test_a_portal_reads_its_own_changes_and_the_office_its_own_unless_it_names_a_portal(
    bench: Bench, door: Door
) -> None:
    _, number, _ = await bench.issue()
    ours, offices = change(number, amount=19_000_000), by_office(number, 1, "termination")
    await bench.hear(ours)
    await bench.hear(offices)

    async def asked(one: str, caller: str, portal: str | None = None) -> int:
        query = {"portal": portal} if portal else None
        return (await door.call("GET", f"{CHANGES}/{one}", caller=caller, query=query))[0]

    assert await asked(ours.change_id, "portal-b") == 404
    assert await asked(ours.change_id, "portal-b", "portal-a") == 403
    assert await asked(ours.change_id, "office") == 404
    assert await asked(ours.change_id, "office", "portal-a") == 200
    assert await asked(offices.change_id, "office") == 200
    assert await asked(offices.change_id, "portal-a") == 404
    assert await asked(ours.change_id, "") == 401
    assert [await asked(odd, "portal-a") for odd in ("a%00b", "%20", "x" * 65)] == [404, 404, 404]
