"""Ops people at the command line, with everything running: where is it, what is stuck, what to press."""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from deploy.broker.management import management
from deploy.local.prepare import prepare_broker
from deploy.local.programs import simulator
from deploy.places import CHECKOUT
from shared import topology
from shared.signing import SigningKeys
from simulators.portal.client import ACCEPTED, ISSUED, Portal
from simulators.portal.samples import example, with_platform
from tests.e2e.conftest import PORTAL, System
from tests.eventually import eventually
from tests.unit.deploy.answering import serving

ERRAND = "post_certificate"

PATIENCE_S = 120.0
"""A command starts a Python of its own, which takes seconds on a busy machine."""

Hosho = Callable[..., Coroutine[Any, Any, tuple[int, str]]]


@pytest.fixture
def hosho(system: System) -> Hosho:
    """`hosho` as an operator of this system: its exit status, and what it wrote."""
    secrets = system.place.stack.secrets
    environment = {
        "HOSHO_OPS_URL": system.place.url("ops"),
        "HOSHO_OPERATOR_TOKEN": secrets.operator_tokens["operator"],
        "COLUMNS": "200",
        "PYTHONUTF8": "1",
        "HOSHO_RABBITMQ_MANAGEMENT_URL": system.servers.management_url,
        "HOSHO_RABBITMQ_VHOST": system.servers.vhost,
        "HOSHO_DATABASE_URL": system.servers.owner_url,
        "HOSHO_POSTGRES_URL": system.place.stack.addresses.superuser_url,
        "HOSHO_ISSUER_URL": system.place.url("issuer"),
        "HOSHO_PLATFORM_URL": system.place.url(simulator("platform")),
        "HOSHO_SMTP_URL": f"smtp://127.0.0.1:{system.place.ports['smtp']}",
    }

    async def run(*arguments: str, **other: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "deploy.cli",
            *arguments,
            cwd=CHECKOUT,
            env={**environment, **other},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        written, _ = await process.communicate()
        text = written.decode()
        assert not any(token in text for token in secrets.operator_tokens.values()), "a token is on the screen"
        assert "Traceback" not in text, text
        return process.returncode or 0, text

    return run


async def test_the_way_of_an_application_is_told_step_by_step(system: System, portal: Portal, hosho: Hosho) -> None:
    await portal.apply(example(PORTAL, "OPS-1"))
    await portal.answers.wait_for("OPS-1", ISSUED)

    async def told() -> dict[str, Any]:
        status, text = await hosho("ops", "journey", "OPS-1", "--json")
        journey: dict[str, Any] = json.loads(text)["journey"]
        assert status == 0
        assert "notifier.mail_sent.v1" in [step["type"] for step in journey["steps"]]
        return journey

    journey = await eventually(told, within_s=PATIENCE_S)
    number = journey["lines"][0]["guarantee_number"]
    _, by_number = await hosho("ops", "journey", number)

    assert journey["steps"][0]["type"] == ACCEPTED
    assert {step["service"] for step in journey["steps"]} == {"intake", "issuer", "platform_bridge", "notifier"}
    assert journey["lines"][0]["column"] == "issued"
    assert "OPS-1" in by_number
    assert number in by_number


async def test_the_ledger_comes_out_even_once_everything_has_arrived(system: System, hosho: Hosho) -> None:
    async def even() -> bool:
        status, text = await hosho("ops", "ledger", "--json")
        told = json.loads(text)
        assert status == 0
        assert told["requested"] == sum(told["columns"].values())
        assert told["balanced"], told
        return bool(told["applications"])

    await eventually(even, within_s=PATIENCE_S)


async def test_a_paused_outside_holds_what_is_due_until_it_is_resumed(
    system: System, portal: Portal, hosho: Hosho
) -> None:
    paused, told = await hosho("ops", "stage", "pause", ERRAND, "--reason", "点検のため")
    assert paused == 0, told
    again, faster = await hosho("ops", "stage", "pause", ERRAND, "--reason", "me too")
    await portal.apply(example(PORTAL, "OPS-2"))

    async def waits() -> str:
        _, text = await hosho("ops", "due", ERRAND, "--which", "due", "--json")
        keys = [row["key"] for row in json.loads(text)["rows"]]
        assert len(keys) == 1
        return str(keys[0])

    key = await eventually(waits, within_s=PATIENCE_S)
    held, _ = await hosho("ops", "hold", ERRAND, key, "--reason", "look first")
    resumed, _ = await hosho("ops", "stage", "resume", ERRAND, "--reason", "done")
    released, _ = await hosho("ops", "release", ERRAND, key, "--reason", "it is right")
    await portal.answers.wait_for("OPS-2", ISSUED, timeout_s=60)
    _, acts = await hosho("ops", "acts")

    assert (again, held, resumed, released) == (1, 0, 0, 0)
    assert "paused_already" in faster
    assert "点検のため" in faster
    assert "点検のため" in acts


async def test_what_waits_for_a_platform_in_trouble_can_be_tried_now(
    system: System, portal: Portal, hosho: Hosho
) -> None:
    application = with_platform(example(PORTAL, "OPS-3"), "503-300")
    await portal.apply(application)

    async def waiting() -> dict[str, Any]:
        _, text = await hosho("ops", "due", ERRAND, "--json")
        found: list[dict[str, Any]] = [one for one in json.loads(text)["rows"] if one["correlation"].endswith("/OPS-3")]
        assert len(found) == 1
        return found[0]

    row = await eventually(waiting, within_s=PATIENCE_S)
    status, _ = await hosho("ops", "now", ERRAND, row["key"], "--reason", "the platform is back")
    probed, _ = await hosho("ops", "probe", ERRAND, "--reason", "the platform is back")
    await portal.answers.wait_for("OPS-3", ISSUED, timeout_s=60)

    assert row["last_error"]
    assert status == 0 or probed == 0


async def test_the_journal_is_exported_verified_and_found_out_when_changed(
    hosho: Hosho, tmp_path: Path, system: System
) -> None:
    file = tmp_path / "journal.ndjson"
    exported, _ = await hosho("journal", "export", str(file))
    whole, told = await hosho("journal", "verify", str(file))
    last = json.loads(file.read_bytes().splitlines()[-1])["chain"]
    with_head, _ = await hosho("journal", "verify", str(file), "--head", last)
    lines = file.read_bytes().splitlines(keepends=True)
    (tmp_path / "short").write_bytes(b"".join(lines[:-1]))
    short, _ = await hosho("journal", "verify", str(tmp_path / "short"), "--head", last)
    (tmp_path / "changed").write_bytes(file.read_bytes().replace(b"application_accepted", b"application_acceptee", 1))
    changed, found = await hosho("journal", "verify", str(tmp_path / "changed"))

    assert (exported, whole, with_head, short, changed) == (0, 0, 0, 1, 1)
    assert "entries/s" in told
    assert found.startswith("broken at batch")


async def test_what_is_wrong_is_told_in_one_line(hosho: Hosho) -> None:
    away = await hosho("ops", "status", HOSHO_OPS_URL="http://127.0.0.1:1")
    unknown = await hosho("ops", "status", HOSHO_OPERATOR_TOKEN="wrong")
    errand = await hosho("ops", "due", "nothing")
    reason = await hosho("ops", "discard", "00000000-0000-0000-0000-000000000001", "--reason", " ")

    assert (away[0], unknown[0], errand[0], reason[0]) == (2, 2, 2, 2)
    assert "did not answer" in away[1]
    assert "HOSHO_OPERATOR_TOKEN" in unknown[1]
    assert "send_mail" in errand[1]
    assert "/reason: It must have" in reason[1]


async def test_the_doctor_finds_a_missing_binding_and_ops_shows_it(hosho: Hosho, system: System) -> None:
    healthy, told = await hosho("doctor", "--tell")
    async with management(system.servers.management_url, system.servers.vhost) as api:
        path = api.path("bindings", "e", topology.EVENTS, "q", "notifier.guarantee_issued")
        await api.delete(f"{path}/issuer.guarantee_issued.v1")
    try:
        sick, found = await hosho("doctor", "--tell")
        _, status = await hosho("ops", "status", "--json")
    finally:
        await prepare_broker(system.place.stack, system.servers.vhost)
    mended, _ = await hosho("doctor", "--tell")
    _, after = await hosho("ops", "status", "--json")

    assert (healthy, sick, mended) == (0, 1, 0), told
    assert "does not fill notifier.guarantee_issued" in found
    assert "does not fill notifier.guarantee_issued" in str(json.loads(status)["alarms"])
    assert not [one for one in json.loads(after)["alarms"] if one["kind"] == "doctor" and one["cleared_at"] is None]


async def test_the_doctor_finds_keys_that_are_not_the_issuers(portal: Portal, hosho: Hosho) -> None:
    """A key set was copied to where officials read it, and the issuer's keys have changed since."""
    await portal.apply(example(PORTAL, "OPS-KEYS"))
    await portal.answers.wait_for("OPS-KEYS", ISSUED)
    other = SigningKeys([("old", bytes(32))]).jwks()
    async with serving(json.dumps(other)) as url:
        status, told = await hosho("doctor", HOSHO_JWKS_URL=url)
        as_issuer, told_as_issuer = await hosho("doctor", HOSHO_ISSUER_URL=url)

    assert (status, as_issuer) == (1, 1)
    assert "is missing there" in told
    assert "which is not published" in told_as_issuer, told_as_issuer


async def test_the_sealing_keys_are_shown_with_what_bears_them(system: System, portal: Portal, hosho: Hosho) -> None:
    """The only key there is seals, and so may not be retired, whatever bears it."""
    await portal.apply(example(PORTAL, "OPS-KEYS"))
    await portal.answers.wait_for("OPS-KEYS", ISSUED)
    status, text = await hosho("keys", "--json")
    (key,) = json.loads(text)["keys"]
    shown, table = await hosho("keys")

    assert (status, shown) == (0, 0)
    assert (key["kid"], key["seals"], key["may_be_retired"]) == ("seal-1", True, False)
    assert key["in_ring_of"] == ["issuer", "platform_bridge"]
    assert key["rows"]["issuer.guarantee"] > 0
    assert "seal-1" in table
    assert system.place.stack.secrets.sealing_keys.partition(":")[2] not in text + table
