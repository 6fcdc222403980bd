"""Following one application through the console: by whatever is known of it, to every step, whatever its id is."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from shared import clock, topology
from shared.envelope import JSON_CONTENT_TYPE, fact_id
from shared.frames import Outgoing
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import GuaranteeStatusChanged
from shared.work import unit_of_work
from tests.service.ops.browsing import Person, at_the_console
from tests.service.ops.conftest import Desk
from tests.service.shared.telling import QUEUE, fact

WORDS = {
    "contractor": "○○建設 <株>",
    "project": "三島駅前 舗装工事",
    "obligee": "三島市長",
    "lines": "advance_payment:electronic",
}
ODD = "A-1?x=1#y/%2e"
"""An id that means something else in an address, unless it is written into one with care."""


@pytest.fixture
async def viewer(desk: Desk) -> AsyncIterator[Person]:
    """Somebody who looks."""
    async with at_the_console(desk.url, desk.servers.operator_token("viewer")) as person:
        yield person


def _fact(kind: str, subject: str, application_id: str, search: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": str(fact_id(kind, subject + application_id, "1")),
        "type": kind,
        "subject": subject,
        "correlation": f"portal-a/{application_id}",
        "time": "2026-04-01T01:00:00+00:00",
        "digest": "00",
        "search": search,
    }


async def _journalled(desk: Desk, *facts: dict[str, Any]) -> None:
    before = (await desk.get("/v1/journal/head"))["entries"]
    body = json.dumps({"service": "issuer", "facts": facts}).encode()
    key = topology.journal_key("ops")
    await desk.ops.publisher.publish(Outgoing(topology.EVENTS, key, clock.new_uuid().hex, body, JSON_CONTENT_TYPE))
    await desk.journalled(before + len(facts))


async def _accepted(desk: Desk, *ids: str) -> None:
    facts = [_fact(ApplicationAccepted.TYPE, f"portal-a/{one}", one, WORDS) for one in ids]
    await _journalled(desk, *facts)


async def test_an_application_is_found_by_whatever_is_known_and_every_step_is_told(desk: Desk, viewer: Person) -> None:
    await _accepted(desk, "A-1")
    moved = {"kind": "advance_payment", "status": "in_transit", "trace": f"00-{'a' * 32}-{'b' * 16}-01"}
    await _journalled(
        desk,
        _fact(GuaranteeStatusChanged.TYPE, "00000-000001", "A-1", moved),
        _fact("nobody.has_heard_of.v9", "00000-000001", "A-1", {}),
    )
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        work.park(fact(1), "no_such_guarantee", "nobody knows it")
    await desk.parked(1)
    for words in ("A-1", "portal-a/A-1", "00000-000001", "○○建設", "舗装"):
        text = await viewer.opens("/journey", params={"q": words})

        assert (viewer.status, viewer.address) == (200, "/journey/portal-a/A-1"), words
        assert "status changed" in text
        assert "nobody.has_heard_of.v9" in text
        assert "posting to the platform" in text or "parked" in text
        assert "a" * 32 in text
        assert "nobody knows it" in text
        assert "○○建設 &lt;株&gt;" in text


async def test_words_that_fit_several_give_a_list_that_leads_to_each(desk: Desk, viewer: Person) -> None:
    await _accepted(desk, "A-1", "A-2")
    text = await viewer.opens("/journey", params={"q": "舗装工事"})

    assert 'href="/journey/portal-a/A-1"' in text
    assert 'href="/journey/portal-a/A-2"' in text


async def test_whatever_a_portal_chose_as_an_id_leads_to_its_application(desk: Desk, viewer: Person) -> None:
    await _accepted(desk, ODD)
    text = await viewer.opens("/journey", params={"q": ODD})

    assert viewer.status == 200
    assert f"<h1>portal-a/{ODD}</h1>" in text


async def test_what_was_told_of_something_never_accepted_is_found_too(desk: Desk, viewer: Person) -> None:
    await _journalled(desk, _fact(GuaranteeStatusChanged.TYPE, "S-9", "A-9", {"kind": "x", "status": "y"}))
    text = await viewer.opens("/journey", params={"q": "S-9"})

    assert "It was never accepted" in text
    assert 'href="/journey/portal-a/A-9"' in text
