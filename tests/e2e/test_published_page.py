"""The programs on the page of the contracts work as they stand there, and answers have the published shapes."""

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import aio_pika
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from deploy.contracts.folder import CONTRACTS
from tests.contract.page import OVER_AMQP, OVER_HTTP, program
from tests.e2e.conftest import System

PORTAL_OVER_HTTP: Final = "portal-b"
PORTAL_OVER_AMQP: Final = "portal-c"
"""The two whose answers nothing else reads here: one has no queue, the other's is read only where it is asked for."""

WITHIN_S: Final = 60.0


def example(name: str, **fields: Any) -> dict[str, Any]:
    """A published example with other values in some of its fields."""
    text = (CONTRACTS / "examples" / "to_hosho" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found | fields


def misfits(service: str, path: str, status: int, answer: object) -> list[str]:
    """What the published description of a GET has against an answer."""
    document = json.loads((CONTRACTS / "openapi" / f"{service}.json").read_text(encoding="utf-8"))
    responses = document["paths"][path]["get"]["responses"]
    told = responses.get(str(status)) or responses["default"]
    (content,) = (media for name, media in told["content"].items() if name.endswith("json"))
    schema: Mapping[str, Any] = {**content["schema"], "components": document["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{path}: {error.json_path}: {error.message}" for error in validator.iter_errors(answer)]


async def test_the_program_over_http_applies_waits_and_reads_a_key_that_an_official_confirms(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    page = program(OVER_HTTP)
    application = example("application.submitted", application_id="PAGE-1", portal=PORTAL_OVER_HTTP)
    intake, issuer = system.place.url("intake"), system.place.url("issuer")
    token = system.servers.token(PORTAL_OVER_HTTP)
    work = asyncio.to_thread(page.apply_and_read_keys, intake, issuer, token, application, "経理 太郎")
    await asyncio.wait_for(work, WITHIN_S)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    ((number, issued_at, key),) = (line for line in printed if "paper_ordered" not in line)
    change = example("change.requested", change_id="PAGE-4", portal=PORTAL_OVER_HTTP, guarantee_number=number)
    followed = asyncio.to_thread(page.change_and_follow, intake, issuer, token, change)
    await asyncio.wait_for(followed, WITHIN_S)
    assert capsys.readouterr().out.split()[:3] == ["PAGE-4", "2", "active"]
    url = system.place.url("platform-simulator") + "/v1/checks"

    async with system.http.post(url, json={"guarantee_number": number, "auth_key": key}) as confirmed:
        assert confirmed.status == 200
    assert issued_at.endswith("+09:00")
    assert misfits("issuer", "/v1/guarantees", 200, {"items": [{}], "next_cursor": None}), "it finds what does not fit"
    for service, path, address in (
        ("intake", "/v1/applications", "/v1/applications"),
        ("intake", "/v1/applications/{application_id}", "/v1/applications/PAGE-1"),
        ("intake", "/v1/applications/{application_id}", "/v1/applications/PAGE-0"),
        ("intake", "/v1/changes", "/v1/changes"),
        ("intake", "/v1/obligees", "/v1/obligees"),
        ("intake", "/v1/problems", "/v1/problems"),
        ("issuer", "/v1/guarantees", "/v1/guarantees"),
        ("issuer", "/v1/guarantees", "/v1/guarantees?limit=0"),
        ("issuer", "/v1/guarantees/{number}", f"/v1/guarantees/{number}"),
        ("issuer", "/v1/guarantees/{number}/certificates/{version}", f"/v1/guarantees/{number}/certificates/1"),
        ("issuer", "/v1/changes/{change_id}", "/v1/changes/PAGE-0"),
        ("issuer", "/v1/problems", "/v1/problems"),
        ("issuer", "/.well-known/jwks.json", "/.well-known/jwks.json"),
    ):
        status, answer = await asyncio.to_thread(page.call, system.place.url(service) + address, token)
        assert misfits(service, path, status, answer) == []


async def test_the_program_over_amqp_applies_and_changes_and_hears_of_both(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    page, broker = program(OVER_AMQP), system.servers.broker_url(PORTAL_OVER_AMQP)
    application = example("application.submitted", application_id="PAGE-2", portal=PORTAL_OVER_AMQP)
    await asyncio.wait_for(page.apply(broker, PORTAL_OVER_AMQP, application), WITHIN_S)
    first = capsys.readouterr().out.splitlines()
    (issued,) = (line for line in first if line.startswith("issuer.guarantee_issued.v1 PAGE-2"))
    (number,) = set(re.findall(r"\d{5}-\d{6}", issued))
    heard: list[tuple[str, str, Any]] = []

    def noted(kind: str, about: str, told: Any) -> None:
        heard.append((kind, about, told))

    page.apply.__globals__["print"] = noted
    change = example("change.requested", change_id="PAGE-3", portal=PORTAL_OVER_AMQP, guarantee_number=number)
    await asyncio.wait_for(page.ask_for_change(broker, PORTAL_OVER_AMQP, change), WITHIN_S)
    refused = example("change.requested", change_id="PAGE-5", portal=PORTAL_OVER_AMQP, guarantee_number=number)
    await asyncio.wait_for(page.ask_for_change(broker, PORTAL_OVER_AMQP, refused), WITHIN_S)
    mended = example("application.submitted", application_id="PAGE-6", portal=PORTAL_OVER_AMQP)
    for office in ("", "静岡支店"):
        # The queue may hold the older rejection still when the mended one is sent.
        mended["receiving_office"] = office
        await asyncio.wait_for(page.apply(broker, PORTAL_OVER_AMQP, mended), WITHIN_S)

    assert ("intake.change_accepted.v1", "PAGE-3") in [(kind, about) for kind, about, _ in heard]
    assert ("issuer.change_refused.v1", "PAGE-5") in [(kind, about) for kind, about, _ in heard]
    assert {told["version"] for _, _, told in heard if told.get("change_id") == "PAGE-3" and "version" in told} == {2}
    assert {kind for kind, about, _ in heard if about == "PAGE-6"} >= {
        "intake.application_rejected.v1",
        "issuer.guarantee_issued.v1",
    }
    for kind, _, told in heard:
        # Some may have waited since an earlier test; they have the published shapes too.
        schema = json.loads((CONTRACTS / "schemas" / "to_portals" / f"{kind}.json").read_text(encoding="utf-8"))
        assert not list(Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(told))


async def test_what_the_broker_will_never_take_ends_the_program_over_amqp_at_once(system: System) -> None:
    """The resend rule of the page: a closed channel is the sender's mistake, so nothing is sent a second time."""
    page, broker = program(OVER_AMQP), system.servers.broker_url(PORTAL_OVER_AMQP)
    too_much = {"much": "x" * 262_144}
    for portal, body, why in (("portal-b", {}, "ACCESS_REFUSED"), (PORTAL_OVER_AMQP, too_much, "PRECONDITION_FAILED")):
        with pytest.raises(aio_pika.exceptions.ChannelClosed, match=why):
            await asyncio.wait_for(page.send(broker, portal, "application.submitted", body), WITHIN_S)
