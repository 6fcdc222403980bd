"""`hosho`: what a deployment runs. Every command takes its addresses and passwords from the environment."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote, urlsplit

import asyncpg
import typer
from pydantic import SecretStr

from deploy import broker, cli_acts, cli_doctor, cli_journal, cli_keys, cli_verify, compose, database, exits, portals
from deploy.announce import announce
from deploy.broker.management import management
from deploy.database import role_of
from deploy.local.stack import DATABASE, VHOST
from deploy.obligees import obligee_commands
from deploy.ops_client import running_here
from deploy.places import CHECKOUT, PORTALS_FILE
from deploy.settings import BROKER_PASSWORD_PREFIX, DATABASE_PASSWORD_PREFIX, DeploySettings, passwords
from shared.errors import Misconfigured, Transient
from shared.topology import Topology

application = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=f"{__doc__}\n\n{exits.TOLD}"
)
topology_commands = typer.Typer(
    no_args_is_help=True, help="The broker's exchanges, queues, bindings, users and rights."
)
database_commands = typer.Typer(no_args_is_help=True, help="The database's roles.")
portal_commands = typer.Typer(no_args_is_help=True, help="Who may speak to us.")
application.add_typer(topology_commands, name="topology")
application.add_typer(database_commands, name="database")
application.add_typer(portal_commands, name="portals")
application.add_typer(cli_acts.operating, name="ops")
application.add_typer(cli_journal.application, name="journal")
application.add_typer(obligee_commands, name="obligees")
application.command()(announce)
application.command()(cli_keys.keys)
application.command("verify")(cli_verify.verify_certificate)

PortalsFile = Annotated[Path, typer.Option("--portals", help="The portals file the plan is made for.")]

T = TypeVar("T")


def main() -> None:
    """Run the command line; what a person can mend is told in one line."""
    try:
        application()
    except (Misconfigured, Transient) as failure:
        print(f"hosho: {failure}", file=sys.stderr)
        sys.exit(exits.NOT_RUN)


@topology_commands.command("apply")
def topology_apply(portals_file: PortalsFile = PORTALS_FILE) -> None:
    """Make the virtual host equal to the plan; passwords of users come from HOSHO_BROKER_PASSWORD_<USER>."""
    plan = portals.plan_for(portals_file)
    url, vhost = _broker()

    async def work() -> None:
        async with management(url, vhost) as api:
            await broker.apply(api, plan, _broker_passwords(plan))

    _run(work())
    print(f"{vhost}: {len(plan.queues)} queues, {len(plan.bindings)} bindings, {len(plan.rights)} users as planned")


@topology_commands.command("check")
def topology_check(portals_file: PortalsFile = PORTALS_FILE) -> None:
    """Compare the virtual host with the plan; prints each difference with its mend and exits with 1."""
    plan = portals.plan_for(portals_file)
    url, vhost = _broker()

    async def work() -> list[broker.Difference]:
        async with management(url, vhost) as api:
            return await broker.check(api, plan, _broker_passwords(plan))

    differences = _run(work())
    for difference in differences:
        print(difference)
    if differences:
        raise typer.Exit(exits.FOUND)
    print(f"{vhost}: as planned")


@database_commands.command("prepare")
def database_prepare(name: Annotated[str, typer.Argument(help="The database to make.")] = "hosho") -> None:
    """Make the roles and the empty database, as superuser; passwords come from HOSHO_DATABASE_PASSWORD_<ROLE>."""
    url = _given(DeploySettings().postgres_url, "HOSHO_POSTGRES_URL", "the superuser's URL")
    given = {role_of(name): password for name, password in passwords(DATABASE_PASSWORD_PREFIX).items()}
    _run(database.prepare(url, name, given))
    print(f"{name}: roles and database are there")


@application.command()
def migrate() -> None:
    """Bring every service's schema to what the migrations say, as the owner role."""
    url = _given(DeploySettings().database_url, "HOSHO_DATABASE_URL", "the owner role's URL")
    for line in _run(database.migrate(url)) or ["nothing to do"]:
        print(line)


@application.command()
def secrets(
    folder: Annotated[Path, typer.Option(help="Where docker-compose.yml is.")] = CHECKOUT,
) -> None:
    """Write .env and the portals file for Compose; what is in .env already stays. Shows nothing."""
    made = compose.write_secrets(folder)
    print(f"{folder / compose.ENV_FILE}: {made} secrets made" if made else "nothing to do")


@application.command()
def doctor(
    portals_file: cli_doctor.PlanFile = PORTALS_FILE,
    every: cli_doctor.Every = None,
    *,
    tell: cli_doctor.Telling = False,
) -> None:
    """Compare what runs with what is planned, and print each mend; beside `make up` no address is needed.

    Looked at are broker, schemas and rights, disks, clocks, certificates and keys. Exits with 1 if something is found.
    """
    settings = DeploySettings()
    broker_at = None if settings.rabbitmq_management_url is None else _broker()
    owner = settings.database_url
    owner_url = None if owner is None else owner.get_secret_value()
    if broker_at is None and owner_url is None and (local := running_here()) is not None:
        broker_at = (local.addresses.management_url, VHOST)
        owner_url = local.addresses.owner_url(DATABASE, local.secrets)
    cli_doctor.run(portals_file, broker_at, owner_url, every_s=every, telling=tell)


@portal_commands.command("token")
def portals_token(portal: Annotated[str, typer.Argument(help="The portal's id.")]) -> None:
    """Make a bearer token for a portal, show it once, and print the hash for the portals file."""
    token = compose.token()
    print(f"token for {portal}, to be given to it and kept nowhere else: {token}")
    print(f"token_sha256: {portals.token_sha256(token)}")


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (OSError, asyncpg.PostgresError) as error:
        raise Misconfigured(f"The server said: {error}") from error


def _given(value: SecretStr | None, name: str, what: str) -> str:
    if value is None:
        raise Misconfigured(f"Give {name}: {what}.")
    return value.get_secret_value()


def _broker() -> tuple[str, str]:
    settings = DeploySettings()
    url = _given(
        settings.rabbitmq_management_url, "HOSHO_RABBITMQ_MANAGEMENT_URL", "the administrator's URL of the API"
    )
    named = unquote(urlsplit(settings.rabbitmq_url.get_secret_value()).path[1:]) if settings.rabbitmq_url else ""
    return url, named or settings.rabbitmq_vhost


def _broker_passwords(plan: Topology) -> dict[str, str]:
    given = passwords(BROKER_PASSWORD_PREFIX)
    users = [rights.user for rights in plan.rights]
    return {user: given[name] for user in users if (name := user.replace("-", "_")) in given}


if __name__ == "__main__":
    main()
