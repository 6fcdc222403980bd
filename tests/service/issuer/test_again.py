"""What was announced can be announced again from the rows, to the letter and under the same ids."""

import subprocess
import sys
from datetime import timedelta

from deploy.places import CHECKOUT
from shared import clock
from shared.messages.platform_bridge import CertificateRefused
from shared.topology import PORTALS, noun_of
from tests.conftest import Servers
from tests.service.issuer.bench import Bench, arrived, change
from tests.unit.issuer.samples import ADDRESS, ARRIVED_AT

NOT_AGAIN = {"guarantee_status_changed"}


async def outbox(bench: Bench) -> set[tuple[str, str, str, str, str, bytes, bytes]]:
    """What waits to be published: exchange, key, type, subject, id, digest of the data, and what a portal is told."""
    rows = await bench.pool.fetch("select * from outbox where exchange <> 'hosho.parking'")
    return {
        (
            *(row["exchange"], row["routing_key"], row["type"], row["subject"], str(row["message_id"])),
            *(row["digest"], row["body"] if row["exchange"] == PORTALS else b""),
        )
        for row in rows
        if noun_of(row["type"]) not in NOT_AGAIN
    }


def hosho_announce(servers: Servers, since: str, service: str = "issuer") -> "subprocess.CompletedProcess[str]":
    """Run the command as an operator does."""
    command = [sys.executable, "-m", "deploy.cli", "announce", "--service", service, "--since", since]
    command += ["--portals", str(servers.portals_file)]
    environment = {"HOSHO_DATABASE_URL": servers.owner_url}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False, capture_output=True, text=True)


async def test_a_whole_life_is_told_again_under_the_same_ids(emptied: Servers, bench: Bench) -> None:
    began = clock.now() - timedelta(days=400)
    application_id, number, paper = await bench.issue()
    wish = {"wanted": True, "address": ADDRESS}
    await bench.hear(change(number, price=60_000_000, amount=24_000_000, completion_mail=wish))
    by_office = {"version_kind": "correction", "portal": "office", "customer_number": None}
    await bench.hear(arrived(application_id, number, version=2, certificate_id="c-2"))
    named = {"contractor_name": "□□建設 株式会社"}
    await bench.hear(change(number, base_version=2, corrections=named, **by_office))
    told = arrived(application_id, number, version=3).model_dump()
    refusal = {"problem_type": "certificate-refused", "detail": "no", "refused_at": ARRIVED_AT}
    await bench.hear(CertificateRefused.model_validate(told | refusal))
    await bench.hear(change(paper, price=60_000_000, amount=6_000_000), change(paper, amount=1))
    before = await outbox(bench)
    await bench.pool.execute("delete from outbox")
    ran = hosho_announce(emptied, began.isoformat())

    assert (ran.returncode, ran.stderr) == (0, "")
    assert len({row[4] for row in before}) == 8
    assert await outbox(bench) == before


async def test_only_what_became_true_since_then_is_told_again(emptied: Servers, bench: Bench) -> None:
    await bench.issue()
    await bench.pool.execute("delete from outbox")
    later = (clock.now() + timedelta(hours=1)).isoformat()
    ran = hosho_announce(emptied, later)

    assert "0 facts" in ran.stdout
    assert await outbox(bench) == set()


async def test_what_cannot_be_told_again_is_said_in_one_line(emptied: Servers) -> None:
    answers = [
        hosho_announce(emptied, "2026-01-15"),
        hosho_announce(emptied, "yesterday"),
        hosho_announce(emptied, "2026-01-15T09:30:00+09:00", service="intake"),
    ]

    assert [ran.returncode for ran in answers] == [2, 2, 2]
    assert all(ran.stderr.startswith("hosho: ") and ran.stderr.count("\n") == 1 for ran in answers)
