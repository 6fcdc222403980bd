"""The console's door: who comes in, what a form must bring, and that every page shows itself in both languages."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from services.ops.domain.troubles import Kind
from shared.work import unit_of_work
from tests.eventually import eventually
from tests.service.ops.browsing import Person, at_the_console
from tests.service.ops.conftest import Desk
from tests.service.shared.telling import QUEUE, certificate, fact

PAGES = ("/", "/flow", "/journey", "/parked", "/parked/facts?consumer=issuer.x", "/due", "/ledger", "/acts", "/runbook")
ACTS = ("/parked/act", "/due/act", "/stage/act", "/ledger/acknowledge")

SHOWN_WITHIN_S = 5.0
"""What the console promises; the tests' own patience is longer where they wait for something else."""

STREAM_ENDS_S_MAX = 30.0
"""At the next look, which comes every two seconds; the rest is for a busy machine."""


@pytest.fixture
async def operator(desk: Desk) -> AsyncIterator[Person]:
    """Somebody who may act."""
    async with at_the_console(desk.url, desk.servers.operator_token("operator")) as person:
        yield person


@pytest.fixture
async def stranger(desk: Desk) -> AsyncIterator[Person]:
    """Somebody who has not logged in."""
    async with at_the_console(desk.url) as person:
        yield person


async def test_every_page_shows_itself_in_both_languages(desk: Desk, operator: Person) -> None:
    for page in PAGES:
        english = await operator.opens(page)
        status = operator.status
        japanese = await operator.opens(page + ("&" if "?" in page else "?") + "lang=ja")
        await operator.opens("/?lang=en")

        assert status == 200, (page, english)
        assert '<html lang="en">' in english, page
        assert '<html lang="ja">' in japanese, page


async def test_no_page_asks_another_host_or_runs_anything_written_into_it(operator: Person) -> None:
    for page in PAGES:
        text = await operator.opens(page)
        policy = operator.headers["content-security-policy"]

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"""(?:src|href|action)=["']?(?:https?:)?//""", text), page
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", text), page


async def test_a_stranger_is_led_to_the_way_in_and_from_there_to_where_he_wanted(desk: Desk, stranger: Person) -> None:
    for page in (*PAGES, "/live/front"):
        await stranger.opens(page)

        assert stranger.address.startswith("/login?next="), page
    await stranger.sends("/login", {"token": desk.servers.operator_token("viewer"), "next": "/due?which=held"})

    assert (stranger.status, stranger.address) == (200, "/due?which=held")


async def test_a_token_that_nobody_has_opens_nothing(stranger: Person) -> None:
    for token in ("", "wrong", "x" * 600, "日本"):
        text = await stranger.sends("/login", {"token": token})
        status = stranger.status
        await stranger.opens("/flow")

        assert status == 401, token
        assert "Nobody has this token" in text
        assert stranger.address.startswith("/login")


async def test_logging_in_never_leads_to_another_host(desk: Desk, stranger: Person) -> None:
    for following in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "x", "/\t/x"):
        fields = {"token": desk.servers.operator_token("viewer"), "next": following}
        await stranger.sends("/login", fields, allow_redirects=False)

        assert (stranger.status, stranger.headers["location"]) == (303, "/"), following


async def test_the_cookie_is_no_token_and_no_script_or_other_site_gets_at_it(desk: Desk, stranger: Person) -> None:
    token = desk.servers.operator_token("operator")
    await stranger.sends("/login", {"token": token, "next": "/"}, allow_redirects=False)
    cookie = stranger.headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert token not in cookie
    assert token not in await stranger.opens("/acts")


async def test_whoever_logged_out_is_out_though_the_cookie_was_kept(desk: Desk, operator: Person) -> None:
    kept = {one.key: one.value for one in operator.http.cookie_jar}
    await operator.sends("/logout", {})
    left_for = operator.address
    async with at_the_console(desk.url) as thief:
        await thief.opens("/flow", headers={"Cookie": f"hosho_session={kept['hosho_session']}"})

        assert left_for == "/login"
        assert thief.address.startswith("/login")


async def test_a_form_without_its_sessions_mark_changes_nothing(operator: Person) -> None:
    fields = {"reason": "because", "verb": "replay", "consumer": QUEUE, "whole_group": "yes"}
    for path in ACTS:
        for csrf in ("", "0" * 64, "日本"):
            await operator.sends(path, fields, csrf=csrf)

            assert operator.status == 403, (path, csrf)


async def test_a_form_from_another_site_is_refused_even_with_the_mark(operator: Person) -> None:
    await operator.opens("/due")
    elsewhere = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://a.example"})
    for headers in elsewhere:
        for path in (*ACTS, "/login", "/logout"):
            await operator.sends(path, {"reason": "because"}, headers=headers)

            assert operator.status == 403, (path, headers)


async def test_a_viewer_sees_no_button_and_may_not_press_one(desk: Desk) -> None:
    async with at_the_console(desk.url, desk.servers.operator_token("viewer")) as viewer:
        page = await viewer.opens("/parked/facts?consumer=issuer.x")
        told = [(await viewer.sends(path, {"reason": "because"}), viewer.status) for path in ACTS]

    assert 'action="/parked/act"' not in page
    assert [status for _, status in told] == [403] * len(ACTS)
    assert all("Yours is a viewer" in text for text, _ in told)


async def test_an_act_without_a_reason_is_refused(operator: Person) -> None:
    await operator.opens("/due")
    for path in ACTS:
        for reason in ("", "  a ", "x" * 201):
            text = await operator.sends(path, {"reason": reason, "verb": "replay", "consumer": QUEUE})

            assert operator.status == 422, (path, reason)
            assert "Give a reason" in text


async def test_what_is_no_form_is_refused_unread(operator: Person) -> None:
    await operator.opens("/due")
    answers = []
    for data, kind in ((b"{}", "application/json"), (b"a=%ff", None), (b"a=%00", None), (b"x" * 300_000, None)):
        headers = {"Content-Type": kind or "application/x-www-form-urlencoded"}
        await operator.opens("/")
        async with operator.http.post(operator.url + "/parked/act", data=data, headers=headers) as answer:
            answers.append(answer.status)

    assert answers == [415, 422, 422, 413]


async def test_what_is_not_there_says_so_as_a_page(operator: Person) -> None:
    nobody = "00000000-0000-0000-0000-000000000001"
    for path in ("/parked/fact/x", f"/parked/fact/{nobody}", "/parked/progress/1", "/journey/a/%00", "/journey/a/b"):
        text = await operator.opens(path)

        assert operator.status == 404, path
        assert "There is nothing here" in text


async def test_what_lies_parked_is_on_the_front_page_with_what_to_press(desk: Desk, operator: Person) -> None:
    assert "All is well" in await eventually(lambda: operator.opens("/"))
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        work.park(fact(1), "no_such_guarantee", "nobody <b>knows</b> it")
    await desk.parked(1)
    text = await operator.opens("/")

    assert f'data-kind="{Kind.FACTS_PARKED}"' in text
    assert f"/parked/facts?consumer={QUEUE}&amp;code=no_such_guarantee" in text
    assert "/runbook#FactsParked" in text
    assert "nobody &lt;b&gt;knows&lt;/b&gt; it" in text


async def test_a_page_is_told_what_changed_while_somebody_looks(watched: Desk) -> None:
    """The stream brings the live part of the page as it is, and again once it is another."""
    token = watched.servers.operator_token("viewer")
    async with (
        at_the_console(watched.url, token) as viewer,
        viewer.http.get(viewer.url + "/live/parked") as stream,
    ):
        first = await _next_part(stream)
        async with unit_of_work(watched.issuer.desk(), QUEUE) as work:
            work.park(fact(1), "no_such_guarantee", "nobody knows it")
        await watched.parked(1)
        async with asyncio.timeout(SHOWN_WITHIN_S):
            second = await _next_part(stream)

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert "Nothing is parked" in first
    assert "nobody knows it" in second


async def _next_part(stream: aiohttp.ClientResponse) -> str:
    async for line in stream.content:
        if line.startswith(b"data: "):
            text: str = json.loads(line[6:])
            return text
    raise AssertionError("the stream ended")


async def test_a_stream_ends_when_its_person_has_logged_out(watched: Desk) -> None:
    token = watched.servers.operator_token("viewer")
    async with (
        at_the_console(watched.url, token) as viewer,
        viewer.http.get(viewer.url + "/live/ledger") as stream,
    ):
        await _next_part(stream)
        await viewer.sends("/logout", {})
        async with asyncio.timeout(STREAM_ENDS_S_MAX):
            rest = await stream.content.read()

    assert b"event: live" not in rest


async def test_a_parked_fact_is_shown_without_its_secrets(desk: Desk, operator: Person) -> None:
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        work.park(replace(fact(1), data=certificate().model_dump_json().encode()), "x", "y")
    await desk.parked(1)
    group = await operator.opens(f"/parked/facts?consumer={QUEUE}")
    (address,) = set(re.findall(r"/parked/fact/[0-9a-f-]+", group))
    text = await operator.opens(address)

    assert "sealed_auth_key" in text
    assert "v1.k.sealed" not in text


async def test_a_ledger_that_not_every_service_was_asked_for_is_not_called_even(operator: Person) -> None:
    """Beside this ops there is an issuer and no intake."""
    text = await operator.opens("/ledger")

    assert "Could not be asked: intake" in " ".join(text.split())
    assert "Whether it comes out even is not known: these could not be asked: intake" in text
    assert 'data-verdict="unknown"' in text
    assert "It comes out even" not in text


async def test_the_front_page_and_the_command_line_tell_the_same(watched: Desk) -> None:
    """A trouble of the doors, one of the desk, and the ledger of which nobody knows."""
    async with unit_of_work(watched.issuer.desk(), QUEUE) as work:
        work.park(fact(1), "no_such_guarantee", "nobody knows it")
    await watched.parked(1)

    async def told() -> dict[str, str]:
        found = await watched.get("/v1/troubles")
        assert {one["kind"] for one in found["troubles"]} >= {Kind.FACTS_PARKED, Kind.LEDGER_UNKNOWN}, found
        assert found["level"] in ("now", "soon")
        return {one["kind"]: one["press"] for one in found["troubles"]}

    kinds = await eventually(told)
    async with at_the_console(watched.url, watched.servers.operator_token("viewer")) as person:
        text = await person.opens("/")

    assert sorted(set(re.findall(r'data-kind="(\w+)"', text))) == sorted(kinds)
    for press in kinds.values():
        assert press in text


async def test_on_a_japanese_page_the_reason_is_japanese_with_the_words_of_the_log_beside_it(desk: Desk) -> None:
    async with unit_of_work(desk.issuer.desk(), QUEUE) as work:
        work.park(fact(1), "unexpected_type", "a.b came where c.d is heard")
        work.park(fact(2), "no_such_guarantee", "nobody knows it")
    await desk.parked(2)
    async with at_the_console(desk.url, desk.servers.operator_token("viewer")) as person:
        await person.opens("/?lang=ja")
        for page in ("/", "/parked"):
            text = await person.opens(page)

            assert "c.d を読むところに a.b が来ました" in text, page
            assert '<small class="told" lang="en">a.b came where c.d is heard</small>' in text, page
            assert '記録の原文: <span lang="en">nobody knows it</span>' in text, page
        heaps = await person.opens("/parked")

    assert "種類が違う" in heaps


@pytest.mark.parametrize("words", ["%00", "%ff%fe", "%ed%a0%80", "a" * 101, "%1b%5b2J", "%27%3b--", "%25%25_%5c", "🏗"])
async def test_search_text_that_is_no_text_is_told_and_breaks_nothing(desk: Desk, words: str) -> None:
    async with at_the_console(desk.url, desk.servers.operator_token("viewer")) as person:
        page = await person.opens(f"/journey?q={words}")
    status, _ = await desk.ask("GET", f"/v1/journeys?q={words}", who="viewer")

    assert person.status == 200
    assert "This is not text" in page or "Nothing was found" in page
    assert status in (200, 422)
