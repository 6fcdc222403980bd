"""Puts the plan and the schemas into a stack's servers: one virtual host, one database."""

from pathlib import Path

from deploy import broker, database
from deploy.broker.management import management
from deploy.local.stack import Stack
from deploy.portals import plan_for


async def prepare_broker(stack: Stack, vhost: str, portals_file: Path | None = None) -> None:
    """Make a virtual host equal to the plan."""
    async with management(stack.addresses.management_url, vhost) as api:
        await broker.apply(api, plan_for(portals_file or stack.portals_file), stack.secrets.broker_users)


async def prepare_database(stack: Stack, name: str) -> list[str]:
    """Make a database with the roles' rights and migrate it; returns what was applied."""
    addresses = stack.addresses
    await database.prepare(addresses.superuser_url, name, stack.secrets.roles)
    return await database.migrate(addresses.owner_url(name, stack.secrets))
