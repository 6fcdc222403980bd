"""After: CloudEvents are read in every mode the contracts know; portal and core come up and go without a broker."""

import asyncio
import json
from contextlib import suppress

import pytest

from simulators import wire
from simulators.core.conclusion import CONCLUDED, DECLINED, Conclusion, Refusal, message_of
from tests.unit.simulators.running import running

EVENT = wire.Event("id-1", "issuer.paper_ordered.v1", "issuer", "00000-000002", "2026-01-15T00:00:00Z", {"amount": 1})
STRUCTURED = {"specversion": "1.0", "id": "id-1", "type": "issuer.paper_ordered.v1", "source": "issuer"} | {
    "subject": "00000-000002",
    "time": "2026-01-15T00:00:00Z",
    "data": {"amount": 1},
}
NOWHERE = "amqp://guest:guest@127.0.0.1:1/"


@pytest.mark.parametrize(
    ("value", "content_type", "headers"),
    [
        ({"amount": 1}, "application/json", wire.binary_headers(EVENT)),
        (STRUCTURED, "application/cloudevents+json; charset=utf-8", {}),
        ([STRUCTURED], "application/cloudevents-batch+json", {}),
    ],
)
def test_an_event_is_the_same_in_every_mode(value: object, content_type: str, headers: dict[str, str]) -> None:
    assert wire.read_events(json.dumps(value).encode(), content_type, headers) == [EVENT]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]"])
def test_a_pack_that_is_none_is_told_from_a_good_one(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        wire.read_events(body, "application/cloudevents-batch+json", {})


def test_a_conclusion_has_the_shape_of_the_contract() -> None:
    who = {"portal": "portal-a", "application_id": "A-1", "kind": "advance_payment"}
    concluded, concluded_key = message_of(Conclusion.model_validate(who | {"concluded_at": "2026-01-15T02:00:00Z"}))
    declined, declined_key = message_of(Refusal.model_validate(who | {"event_id": "again"}))
    facts = json.loads(concluded.body)

    assert (concluded_key, declined_key) == (CONCLUDED, DECLINED)
    assert facts == who | {"concluded_at": "2026-01-15T11:00:00.000+09:00", "message_from_guarantor": None}
    assert json.loads(declined.body)["problems"][0]["code"] == "underwriting_declined"
    assert (declined.message_id, declined.headers["cloudEvents_id"]) == ("again", "again")


def test_without_a_broker_portal_and_core_say_so_and_end_cleanly() -> None:
    outside = {"INTAKE_URL": "http://127.0.0.1:1", "ISSUER_URL": "http://127.0.0.1:1", "ID": "portal-a", "TOKEN": "t"}
    portal = {f"PORTAL_SIM_{name}": text for name, text in outside.items()}
    portal |= {"PORTAL_SIM_BROKER_URL": NOWHERE, "PORTAL_SIM_HTTP_PORT": "0"}
    core = {f"CORE_SIM_{name}": text for name, text in outside.items() if name != "ID"}
    core |= {"CORE_SIM_BROKER_URL": NOWHERE, "CORE_SIM_OFFICE_BROKER_URL": NOWHERE, "CORE_SIM_HTTP_PORT": "0"}
    with running("portal", portal) as one, running("core", core) as other:
        readiness = [program.call("GET", "/livez") for program in (one, other)]
        as_json = {"Content-Type": "application/json"}
        body = b'{"portal": "portal-a", "application_id": "A-1", "kind": "advance_payment"}'
        unheard = other.call("POST", "/conclude", body, as_json)
        away = one.call("POST", "/applications?over=http", b"{}", as_json)
        foreign = one.call("POST", "/send", b"{}", {"Content-Type": "text/plain"})
        exit_codes = [one.stop(), other.stop()]

    assert [(reply.status, reply.json()["ready"]) for reply in readiness] == [(503, False)] * 2
    assert [unheard.status, away.status, foreign.status] == [503, 502, 415]
    assert exit_codes == [0, 0]


async def test_a_listener_ends_also_when_the_driver_swallows_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it happens to whoever stops listening at the very moment at which the broker answers."""
    began, swallowed = asyncio.Event(), asyncio.Event()

    async def swallows_the_first(_: wire.Listener) -> None:
        began.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        swallowed.set()
        await asyncio.Event().wait()

    async def take(_: object) -> None:
        raise AssertionError("nothing is ever heard")

    monkeypatch.setattr(wire, "CANCEL_AGAIN_S", 0.01)
    monkeypatch.setattr(wire.Listener, "_until_broken", swallows_the_first)
    listener = wire.Listener(NOWHERE, "portal.portal-a", take)
    listener.start()
    await began.wait()
    async with asyncio.timeout(30):
        await listener.stop()

    assert swallowed.is_set()
