"""`hosho doctor`: does what runs equal what is planned, and will it still tomorrow? Each finding comes with its mend.

It needs the broker administrator's rights, which no service has; so it runs beside the services, once by hand or again
and again (`--every 60`), and tells ops what it finds.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import asyncpg
import typer
from pydantic import SecretStr

from deploy import broker, database, portals
from deploy.broker.management import management
from deploy.doctor import certificates, clocks, disks, grants, keys
from deploy.exits import FOUND
from deploy.ops_client import ops
from deploy.places import ROOT_STATE, RUN
from deploy.settings import DeploySettings
from shared.errors import Misconfigured, Transient
from shared.topology import SERVICES, Topology

SECONDS_MIN: Final = 10


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at: everything that is given.

    Attributes:
        broker_at: URL of the management API, with the administrator's name and password, and the virtual host.
        owner_url: the database as the owner role.
        settings: further addresses, each optional.
    """

    plan: Topology
    broker_at: tuple[str, str] | None
    owner_url: str | None
    settings: DeploySettings = field(default_factory=DeploySettings)

    @property
    def urls(self) -> dict[str, str]:
        """Everything that may speak TLS, by name, without anybody's password."""
        given = self.settings
        told = {
            "broker": given.rabbitmq_url,
            "broker's management": self.broker_at[0] if self.broker_at else None,
            "ops": given.ops_url,
            "issuer": given.issuer_url,
            "platform": given.platform_url,
            "mail server": given.smtp_url,
            "published keys": given.jwks_url,
        }
        return {name: _without_login(url) for name, url in told.items() if url is not None}


def _without_login(url: str | SecretStr) -> str:
    parts = urlsplit(url.get_secret_value() if isinstance(url, SecretStr) else url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def examined(patient: Patient) -> list[str]:
    """Everything that is not as it should be, each with its mend. What cannot be reached is a finding too."""
    found = await asyncio.gather(
        _named("broker", _broker(patient)),
        _named("database", _database(patient)),
        _named("disk", _disks(patient)),
        _named("clock", _clocks(patient)),
        _named("certificate", _certificates(patient)),
        _named("keys", _keys(patient)),
    )
    return [finding for findings in found for finding in findings]


async def _named(name: str, looking: Awaitable[list[str]]) -> list[str]:
    try:
        return [f"{name}: {finding}" for finding in await looking]
    except Transient as failure:
        return [f"{name}: {failure} — see that it runs, and that its URL is right"]
    except Misconfigured as failure:
        return [f"{name}: {failure}"]
    except (OSError, asyncpg.PostgresError) as failure:
        return [f"{name}: the database did not answer ({type(failure).__name__}) — see that it runs"]


async def _broker(patient: Patient) -> list[str]:
    if patient.broker_at is None:
        return []
    async with management(*patient.broker_at) as api:
        return [*map(str, await broker.check(api, patient.plan)), *await disks.of_broker(api)]


async def _disks(patient: Patient) -> list[str]:
    given = patient.settings.postgres_url
    of_database = [] if given is None else await disks.of_database(given.get_secret_value())
    return list(dict.fromkeys([*disks.here([RUN, ROOT_STATE]), *of_database]))


async def _clocks(patient: Patient) -> list[str]:
    asked = {name: url for name, url in patient.urls.items() if url.startswith("http")}
    async with aiohttp.ClientSession() as session:
        found = await asyncio.gather(*(clocks.of_http(session, name, url) for name, url in asked.items()))
    return [finding for findings in found for finding in findings]


async def _certificates(patient: Patient) -> list[str]:
    found = await asyncio.gather(*(certificates.of_url(name, url) for name, url in patient.urls.items()))
    return [finding for findings in found for finding in findings]


async def _keys(patient: Patient) -> list[str]:
    given = patient.settings
    if given.issuer_url is None:
        return []
    async with aiohttp.ClientSession() as session:
        try:
            issuers = await keys.published(session, given.issuer_url.rstrip("/") + "/.well-known/jwks.json")
        except keys.NotPublished as failure:
            return [f"the issuer's could not be read ({failure}) — see that it runs, and that its URL is right"]
        found = keys.unproved([] if patient.owner_url is None else await keys.signed_last(patient.owner_url), issuers)
        if given.jwks_url is None:
            return found
        try:
            return [*found, *keys.different(issuers, await keys.published(session, given.jwks_url))]
        except keys.NotPublished as failure:
            return [*found, f"the published ones could not be read ({failure}) — see what is at {given.jwks_url}"]


async def _database(patient: Patient) -> list[str]:
    if patient.owner_url is None:
        return []
    async with database.connected(patient.owner_url) as connection:
        sent_at = datetime.now(UTC)
        told = await connection.fetchval("select clock_timestamp()")
        findings = clocks.differing("the server", told, told, sent_at, datetime.now(UTC))
        for service in SERVICES:
            wanted = {migration.name: migration.sha256 for migration in database.migrations_of(service)}
            known = await _applied(connection, service)
            findings += [
                f"schema {service} lacks {name} — run `hosho migrate`" for name in sorted(wanted.keys() - known.keys())
            ]
            findings += [
                f"schema {service}: {name} was edited after it was applied — put the old text back"
                for name in sorted(wanted.keys() & known.keys())
                if wanted[name] != known[name]
            ]
            findings += await grants.of_service(connection, service)
    return findings


async def _applied(connection: "database.Connection", service: str) -> dict[str, str]:
    try:
        return {
            row["name"]: row["sha256"]
            for row in await connection.fetch(f"select name, sha256 from {service}.schema_migration")  # noqa: S608 - a name of ours.
        }
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return {}


async def tell(findings: list[str]) -> None:
    """Let ops know, so that console and alerts show it; what is not found any more is cleared there."""
    async with ops() as client:
        await client.post("/v1/findings", {"findings": findings[:500], "reason": "hosho doctor"})


def run(
    plan_file: Path, broker_at: tuple[str, str] | None, owner_url: str | None, *, every_s: int | None, telling: bool
) -> None:
    """Examine once, or again and again; exits with 1 if something was found (or the last time, when interrupted)."""
    if broker_at is None and owner_url is None:
        raise Misconfigured("Give HOSHO_RABBITMQ_MANAGEMENT_URL, HOSHO_DATABASE_URL, or both.")
    if every_s is not None and every_s < SECONDS_MIN:
        raise Misconfigured(f"--every must be at least {SECONDS_MIN} seconds.")
    patient = Patient(portals.plan_for(plan_file), broker_at, owner_url)

    async def work() -> list[str]:
        while True:
            findings = await examined(patient)
            for finding in findings:
                print(finding, flush=True)
            if telling:
                try:
                    await tell(findings)
                except Transient as failure:
                    # With ops away its own alert sounds; the findings stand here, and are told again.
                    print(f"ops could not be told: {failure}", flush=True)
            if every_s is None:
                return findings
            await asyncio.sleep(every_s)

    if asyncio.run(work()):
        raise typer.Exit(FOUND)
    print("everything is as planned")


PlanFile = Annotated[Path, typer.Option("--portals", help="The portals file the plan is made for.")]
Every = Annotated[int | None, typer.Option("--every", help="Again and again, so many seconds apart.")]
Telling = Annotated[bool, typer.Option("--tell/--no-tell", help="Tell ops what is found.")]
