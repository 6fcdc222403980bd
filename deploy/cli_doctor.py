"""`hosho doctor`: does what runs equal what is planned? Each finding comes with its mend.

It needs the broker administrator's rights, which no service has; so it runs beside the services, once by hand or again
and again (`--every 60`), and tells ops what it finds.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import asyncpg
import typer

from deploy import broker, database, portals
from deploy.broker.management import management
from deploy.ops_client import ops
from shared.errors import Misconfigured, Transient
from shared.topology import SERVICES, Topology

SECONDS_MIN: Final = 10
CLOCK_S_MAX: Final = 2.0
FOUND: Final = 1


async def examined(plan: Topology, broker_at: tuple[str, str] | None, owner_url: str | None) -> list[str]:
    """Everything that is not as it should be, each with its mend. What cannot be reached is a finding too."""
    findings: list[str] = []
    if broker_at is not None:
        try:
            async with management(*broker_at) as api:
                findings += [f"broker: {one}" for one in await broker.check(api, plan)]
        except (Misconfigured, Transient) as failure:
            findings.append(f"broker: {failure}")
    if owner_url is not None:
        try:
            findings += [f"database: {one}" for one in await _database(owner_url)]
        except (OSError, asyncpg.PostgresError) as failure:
            findings.append(f"database: it did not answer ({type(failure).__name__}) — see that it runs")
    return findings


async def _database(owner_url: str) -> list[str]:
    findings: list[str] = []
    async with database.connected(owner_url) as connection:
        told = await connection.fetchval("select clock_timestamp()")
        ahead_s = (told - datetime.now(UTC)).total_seconds()
        if abs(ahead_s) > CLOCK_S_MAX:
            findings.append(
                f"its clock differs from this machine's by {ahead_s:.1f} s — see that both are synchronised"
            )
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
    plan = portals.plan_for(plan_file)

    async def work() -> list[str]:
        while True:
            findings = await examined(plan, broker_at, owner_url)
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
