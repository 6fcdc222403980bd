"""Faults of the two servers that leave them running: connections closed, alarms, locks, a database that only reads."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from deploy.broker.management import Refused, management
from deploy.local.ports import LOOPBACK
from deploy.local.rabbitmq import installed_server
from deploy.places import CHECKOUT_MARK
from deploy.settings import passed_on
from tests.eventually import eventually
from tests.faults.kinds import NothingHit
from tests.faults.pauses import lapse
from tests.faults.world import World

DEFAULT_WATERMARK = "0.4"
DEFAULT_DISK_FREE_LIMIT = "50MB"
ALARM_S_MAX = 10.0
"""How long a broker may take to notice that it has no memory or no disk left."""

WAITING_FOR = """
    select count(*) as sessions from pg_locks held join pg_class on pg_class.oid = held.relation
     where not held.granted and pg_class.relnamespace = $1::text::regnamespace
"""


@dataclass(frozen=True, slots=True)
class ConnectionsClosed:
    """The broker's administrator closes every connection of one user."""

    user: str

    kind = "broker connections closed"

    async def strike(self, world: World) -> None:
        """Close them over the management API."""
        place, closed = world.system.place, 0
        async with management(place.stack.addresses.management_url, place.vhost) as api:
            for connection in await api.get(api.path("vhosts") + "/connections") or ():
                if connection.get("user") == self.user:
                    world.tally.note("close", f"{self.user}-rabbitmq")
                    await api.delete(f"/api/connections/{_quoted(connection['name'])}")
                    closed += 1
        world.tally.cuts += closed
        if not closed:
            raise NothingHit(f"{self.user} is not connected")


def _quoted(name: str) -> str:
    return name.replace(" ", "%20").replace(">", "%3E").replace(":", "%3A")


@dataclass(frozen=True, slots=True)
class Alarm:
    """The broker has no memory, or no disk, left and blocks whoever publishes."""

    resource: str
    lasts_s: float

    @property
    def kind(self) -> str:
        """Each resource is a kind."""
        return f"{self.resource} alarm"

    async def strike(self, world: World) -> None:
        """Raise the alarm, see that the broker says so itself, and clear it."""
        async with world.turn("rabbitmq"):
            await self._ring(world)

    async def _ring(self, world: World) -> None:
        world.tally.note("alarm", self.resource)
        if self.resource == "memory":
            on, off = ("set_vm_memory_high_watermark", "0.00001"), ("set_vm_memory_high_watermark", DEFAULT_WATERMARK)
        else:
            on, off = ("set_disk_free_limit", "100000GB"), ("set_disk_free_limit", DEFAULT_DISK_FREE_LIMIT)
        try:
            await _control(world, *on)
            await eventually(lambda: self._rings(world), within_s=ALARM_S_MAX)
            await lapse(self.lasts_s)
        finally:
            await _control(world, *off)

    async def _rings(self, world: World) -> bool:
        place = world.system.place
        async with management(place.stack.addresses.management_url, place.vhost) as api:
            try:
                await api.get("/api/health/checks/local-alarms")
            except Refused as refused:
                # It answers 503 and names the resource; other figures of this API lag seconds behind.
                return self.resource in str(refused)
        return False


async def _control(world: World, *arguments: str) -> None:
    """Run rabbitmqctl on the private node; a node that is down forgets the alarm by itself."""
    stack = world.system.place.stack
    server = installed_server()
    if server is None:
        return
    account, folder = stack.account, stack.state / "rabbitmq"
    process = await asyncio.create_subprocess_exec(
        str(Path(server).with_name("rabbitmqctl")),
        *("--node", f"hosho-{CHECKOUT_MARK}-{stack.name}@localhost", "--quiet", *arguments),
        env={
            **passed_on(),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(stack.ports["epmd"]),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
        },
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise ConnectionError(f"rabbitmqctl {' '.join(arguments)}: {said.decode(errors='replace')[-200:]}")


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """The database's administrator ends every session of one role, or of all."""

    service: str

    kind = "database sessions ended"

    async def strike(self, world: World) -> None:
        """End them."""
        world.tally.note("cut", f"{self.service}-postgres")
        ended = await world.as_superuser(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename like $2",
            world.system.place.database,
            "hosho_%" if self.service == "all" else f"hosho_{self.service}",
        )
        world.tally.cuts += len(ended)
        if not ended:
            raise NothingHit(f"{self.service} has no session")


@dataclass(frozen=True, slots=True)
class TableLocked:
    """Somebody holds a lock on the tables that everything goes through, as a careless migration would."""

    service: str
    lasts_s: float

    kind = "tables locked"

    async def strike(self, world: World) -> None:
        """Lock, and let go."""
        connection = await asyncpg.connect(world.system.owner_url(), timeout=10)
        try:
            async with connection.transaction():
                for table in ("outbox", "inbox", "errand"):
                    await connection.execute(f"lock table {self.service}.{table} in access exclusive mode")
                await lapse(self.lasts_s)
                (waiting,) = await world.as_owner(WAITING_FOR, self.service)
            if not waiting["sessions"]:
                raise NothingHit(f"{self.service} wanted none of its tables")
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """The database answers and cannot write, as a standby before its promotion."""

    lasts_s: float

    kind = "database read only"

    async def strike(self, world: World) -> None:
        """Forbid writing to every new session, end the old ones, and take it back the same way."""
        database = world.system.place.database
        for value in ("on", "off"):
            await world.as_superuser(f'alter database "{database}" set default_transaction_read_only = {value}')
            await SessionsEnded("all").strike(world)
            if value == "on":
                await lapse(self.lasts_s)
