"""The doctor finds what is about to go wrong with disks, clocks, certificates and keys, and says what mends it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from deploy.broker.management import management
from deploy.cli_doctor import Patient, examined
from deploy.doctor import certificates, clocks, disks, keys
from deploy.doctor.keys import NotPublished, Signed
from deploy.places import PORTALS_FILE
from deploy.portals import plan_for
from deploy.settings import DeploySettings
from shared.signing import SigningKeys
from tests.unit.deploy.answering import serving
from tests.unit.notifier.scripted import GOOD, Script
from tests.unit.notifier.self_signed import self_signed

GIB: Final = 1024**3
NODE: Final[dict[str, Any]] = {
    "name": "rabbit@one",
    "running": True,
    "disk_free": 50 * GIB,
    "disk_free_limit": GIB,
    "disk_free_alarm": False,
    "mem_alarm": False,
}
STARTTLS: Final = {"EHLO": "250-mail.example\r\n250 STARTTLS", "STARTTLS": "220 go on"}
KEYS: Final = SigningKeys([("one", bytes(32)), ("two", bytes([2]) * 32)])
SIGNED: Final = Signed("00000-000001/1", b"{}", KEYS.sign(b"{}"))


def test_a_disk_with_room_is_not_told_of_and_one_without_is() -> None:
    assert disks.short("/data", 100 * GIB, 900, 1_000) == []
    assert disks.short("/data", 100 * GIB, 0, 0) == []
    (bytes_short,) = disks.short("/data", GIB, 900, 1_000)
    (files_short,) = disks.short("/data", 100 * GIB, 5, 1_000)
    assert "1.0 GiB free, 2 GiB wanted) — delete" in bytes_short
    assert "5 more files — delete" in files_short


def test_the_disk_of_a_folder_is_really_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calm = disks.here([tmp_path, tmp_path / "missing"])
    monkeypatch.setattr(disks, "FREE_BYTES_MIN", 2**62)

    assert calm == []
    assert len(disks.here([tmp_path, tmp_path.parent])) == 1


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"disk_free_alarm": True, "disk_free": GIB // 2}, "the disk alarm is on (0.5 GiB free, its limit is 1.0 GiB)"),
        ({"disk_free": 2 * GIB}, "the disk alarm is near"),
        ({"mem_alarm": True}, "the memory alarm is on"),
        ({"running": False}, "does not run"),
    ],
)
async def test_a_node_of_the_broker_tells_of_its_alarms(changed: dict[str, Any], told: str) -> None:
    async with serving(json.dumps([NODE, NODE | changed])) as url, management(url.removesuffix("/keys"), "v") as api:
        (found,) = await disks.of_broker(api)

    assert told in found
    assert " — " in found


def test_a_node_that_does_not_watch_its_disk_is_left_alone() -> None:
    assert disks.of_node(NODE | {"disk_free": "disk_free_monitoring_disabled"} | {"disk_free_limit": "?"}) == []


@pytest.mark.parametrize(("off_s", "told"), [(0, None), (30, "ahead of"), (-30, "behind"), (3_600, "ahead of")])
async def test_a_clock_is_compared_with_ours(off_s: int, told: str | None) -> None:
    at = datetime.now(UTC) + timedelta(seconds=off_s)
    async with serving("", {"Date": format_datetime(at, usegmt=True)}) as url, aiohttp.ClientSession() as session:
        found = await clocks.of_http(session, "platform", url)

    assert (told is None) == (found == [])
    assert told is None or (told in found[0] and "synchronised" in found[0])


def test_the_way_of_the_answer_is_not_held_against_a_clock() -> None:
    """It was asked at 0 s and answered at 30 s: any moment between may be right."""
    sent = datetime(2026, 1, 1, tzinfo=UTC)
    got = sent + timedelta(seconds=30)
    told = [sent + timedelta(seconds=at) for at in (0, 15, 30)]

    assert [clocks.differing("it", at, at, sent, got) for at in told] == [[], [], []]
    assert clocks.differing("it", got + timedelta(seconds=3), got + timedelta(seconds=4), sent, got) != []


async def test_who_does_not_answer_is_a_finding() -> None:
    async with aiohttp.ClientSession() as session:
        (clock,) = await clocks.of_http(session, "platform", "http://127.0.0.1:1")
    (certificate,) = await certificates.of_url("platform", "https://127.0.0.1:1")

    assert "platform: it did not answer" in clock
    assert "platform: it did not answer" in certificate


@asynccontextmanager
async def _tls(folder: Path, days_left: float) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A server that shows a certificate, and a client's trust in it."""
    context, trusted = self_signed(folder, days_left)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], ssl.create_default_context(cafile=trusted)


@pytest.mark.parametrize(
    ("days_left", "told"),
    [(400, None), (5.5, "5 days from now — renew it"), (-1, "does not hold (certificate has expired) — renew it")],
)
@pytest.mark.parametrize("scheme", ["https", "amqps"])
async def test_a_certificate_that_ends_is_told_of_in_time(
    tmp_path: Path, scheme: str, days_left: float, told: str | None
) -> None:
    async with _tls(tmp_path, days_left) as (port, trust):
        found = await certificates.of_url("broker", f"{scheme}://127.0.0.1:{port}/", trust)

    assert (told is None) == (found == [])
    assert told is None or told in found[0]


async def test_a_certificate_of_an_unknown_authority_is_told_of(tmp_path: Path) -> None:
    async with _tls(tmp_path, 400) as (port, _):
        (found,) = await certificates.of_url("platform", f"https://127.0.0.1:{port}")

    assert "does not hold (self-signed certificate)" in found
    assert "make its authority known here" in found


@pytest.mark.parametrize(("days_left", "findings"), [(400, 0), (5.5, 1), (-1, 1)])
async def test_a_mail_server_shows_its_certificate_within_the_conversation(
    tmp_path: Path, days_left: float, findings: int
) -> None:
    context, trusted = self_signed(tmp_path, days_left)
    script = Script(GOOD | STARTTLS, context)
    server = await asyncio.start_server(script.converse, "127.0.0.1", 0)
    async with server:
        url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        found = await certificates.of_url("mail server", url, ssl.create_default_context(cafile=trusted))

    assert len(found) == findings


async def test_what_is_not_encrypted_has_no_certificate_to_look_at() -> None:
    assert await certificates.of_url("broker", "amqp://127.0.0.1:1") == []


def test_what_was_signed_is_proved_by_the_published_keys() -> None:
    published = KEYS.jwks()["keys"]
    (gone,) = keys.unproved([SIGNED, SIGNED], published[1:])
    (another,) = keys.unproved([SIGNED], SigningKeys([("one", bytes([9]) * 32)]).jwks()["keys"])

    assert keys.unproved([SIGNED], published) == []
    assert "00000-000001/1 is signed with one, which is not published — put" in gone
    assert "does not hold by the published key one" in another


def test_a_copy_of_the_keys_is_compared_with_the_issuers() -> None:
    issuers = KEYS.jwks()["keys"]
    (missing,) = keys.different(issuers, issuers[:1])
    (another,) = keys.different(issuers, [issuers[0], issuers[1] | {"x": "AAAA"}])

    assert keys.different(issuers, [*issuers, {"kid": "older", "x": "B"}]) == []
    assert "the key two is missing there — copy" in missing
    assert "the key two is another one there — copy" in another


@pytest.mark.parametrize("body", ["", "[]", '{"keys": []}', '{"keys": [1]}'])
async def test_what_is_no_key_set_is_not_taken_for_one(body: str) -> None:
    async with serving(body) as url, aiohttp.ClientSession() as session:
        with pytest.raises(NotPublished):
            await keys.published(session, url)


async def test_one_examination_tells_everything_at_once_and_no_password() -> None:
    """Nothing answers; each of them is told of, each with its mend."""
    away = "127.0.0.1:1"
    patient = Patient(
        plan_for(PORTALS_FILE),
        (f"http://root:secret@{away}", "v"),
        f"postgresql://owner:secret@{away}/hosho",
        DeploySettings(
            rabbitmq_url=f"amqps://root:secret@{away}",  # type: ignore[arg-type]
            issuer_url=f"http://{away}",
            platform_url=f"https://{away}",
            smtp_url=f"smtp://{away}",
        ),
    )
    found = await examined(patient)
    about = {finding.split(":")[0] for finding in found}

    assert {"broker", "database", "clock", "certificate", "keys"} <= about
    assert all(" — " in finding for finding in found), found
    assert not any("secret" in finding for finding in found)
