"""The doctor looks at a real database and a real broker: each thing that is not as planned comes with its mend."""

import re
import uuid
from collections.abc import AsyncIterator

import pytest

from deploy import broker, database
from deploy.broker.management import management
from deploy.cli_doctor import Patient, examined
from deploy.database import connected
from deploy.places import PORTALS_FILE
from deploy.portals import plan_for
from services.ops.web.console.reasons import in_words
from shared import topology
from tests.conftest import Servers

SPOILT = {
    "revoke insert on issuer.guarantee from hosho_issuer": "the role hosho_issuer may not insert issuer.guarantee",
    "revoke all on ops.ledger_tally from hosho_ops": "may not select, insert, update, delete ops.ledger_tally",
    "grant update on ops.journal_entry to hosho_ops": "the role hosho_ops may update ops.journal_entry, unplanned",
    "grant insert on intake.schema_migration to hosho_intake": "may insert intake.schema_migration, unplanned",
}


@pytest.fixture
async def owner_url(stack: Servers) -> AsyncIterator[str]:
    """The owner's URL of a migrated database that may be spoilt."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    secrets = stack.local.secrets
    await database.prepare(stack.superuser_url, name, secrets.roles)
    url = stack.local.addresses.owner_url(name, secrets)
    await database.migrate(url)
    yield url
    await database.drop(stack.superuser_url, name)


@pytest.fixture
async def broker_at(stack: Servers) -> AsyncIterator[tuple[str, str]]:
    """A virtual host that is as planned and may be spoilt."""
    vhost = f"test-{uuid.uuid4().hex[:12]}"
    url = stack.management_url
    async with management(url, vhost) as api:
        await broker.apply(api, plan_for(PORTALS_FILE), stack.local.secrets.broker_users)
    yield url, vhost
    stack.delete_vhost(vhost)


def _of_database(owner_url: str) -> Patient:
    return Patient(topology.plan(()), None, owner_url)


async def _told(patient: Patient, name: str) -> list[str]:
    """What it finds of this kind; each finding has its mend, and is told in Japanese on the console."""
    findings = [finding for finding in await examined(patient) if finding.startswith(f"{name}: ")]
    for finding in findings:
        said = in_words(finding.removeprefix(f"{name}: "), "ja")

        assert " — " in finding, finding
        assert not said.is_foreign, finding
    return findings


async def test_a_database_as_planned_has_no_findings(owner_url: str) -> None:
    assert await _told(_of_database(owner_url), "database") == []


@pytest.mark.parametrize("statement", SPOILT)
async def test_a_right_that_is_missing_or_too_much_is_found_and_mended_by_migrating(
    owner_url: str, statement: str
) -> None:
    async with connected(owner_url) as connection:
        await connection.execute(statement)
    (found,) = await _told(_of_database(owner_url), "database")
    await database.migrate(owner_url)

    assert SPOILT[statement] in found
    assert found.endswith("— run `hosho migrate`")
    assert await _told(_of_database(owner_url), "database") == []


async def test_a_schema_that_is_behind_is_found_file_by_file(owner_url: str) -> None:
    edited = "issuer/0002_later_versions.sql"
    async with connected(owner_url) as connection:
        await connection.execute("delete from ops.schema_migration where name like '%0006%'")
        await connection.execute("update issuer.schema_migration set sha256 = 'x' where name = $1", edited)
    other, behind = await _told(_of_database(owner_url), "database")

    assert re.fullmatch(r"database: schema ops lacks ops/0006_\w+\.sql — run `hosho migrate`", behind)
    assert f"{edited} was edited after it was applied" in other


async def test_a_binding_and_a_queues_argument_and_a_right_on_the_broker_are_found(
    broker_at: tuple[str, str],
) -> None:
    patient = Patient(plan_for(PORTALS_FILE), broker_at, None)
    before = await _told(patient, "broker")
    async with management(*broker_at) as api:
        binding = api.path("bindings", "e", topology.EVENTS, "q", "notifier.guarantee_issued")
        await api.delete(f"{binding}/issuer.guarantee_issued.v1")
        await api.delete(api.path("queues", "issuer.mail_sent"))
        arguments = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
        await api.put(api.path("queues", "issuer.mail_sent"), arguments)
        await api.delete(api.path("permissions", "notifier"))
    found = "\n".join(await _told(patient, "broker"))

    assert before == []
    assert "does not fill notifier.guarantee_issued" in found
    assert "the queue issuer.mail_sent has x-delivery-limit=None" in found
    assert "the user notifier may (configure, write, read) None" in found
