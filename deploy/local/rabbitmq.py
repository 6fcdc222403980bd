"""A private RabbitMQ node from an installed server: its own ports, cookie, epmd and data, on the loopback only.

The server's own `rabbitmq-server` script is called, never a packager's wrapper of it: the wrapper changes the user
and the folders. `rabbitmqctl` is not needed: readiness and everything else goes through the management API.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import aiohttp

from deploy.local.account import Account, private_file, private_folder
from deploy.local.children import Child, ChildFailed, Program, start, tail
from deploy.local.ports import LOOPBACK, listens
from deploy.places import CHECKOUT_MARK
from deploy.settings import passed_on

ADMINISTRATOR: Final = "hosho-administrator"
START_S_MAX: Final = 120
POLL_S: Final = 0.1
MESSAGE_BYTES_MAX: Final = 262_144
RAFT_LOG_BYTES_MAX: Final = 64 * 1024 * 1024
"""Quorum queues keep their common log in memory up to this size; the server's own default is 512 MB."""

PORTS: Final = ("amqp", "management", "distribution", "epmd")

_SERVER_PLACES: Final = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",
    "/opt/rabbitmq/sbin/rabbitmq-server",
)


def installed_server() -> Path | None:
    """The server's own start script, or None if RabbitMQ is not installed here."""
    for place in _SERVER_PLACES:
        if Path(place).exists():
            return Path(place)
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


def configuration(address: str, amqp: int, management: int, password: str) -> list[str]:
    """The lines of `rabbitmq.conf` for a node that listens on this address and these ports."""
    return [
        f"listeners.tcp.1 = {address}:{amqp}",
        f"management.tcp.ip = {address}",
        f"management.tcp.port = {management}",
        # With a first user of ours the node never makes the well-known one.
        f"default_user = {ADMINISTRATOR}",
        f"default_pass = {password}",
        f"max_message_size = {MESSAGE_BYTES_MAX}",
        f"raft.wal_max_size_bytes = {RAFT_LOG_BYTES_MAX}",
        "log.console = true",
        "log.console.level = info",
        "log.file = false",
    ]


class RabbitNode:
    """The private node of one stack.

    Args:
        more: lines of `rabbitmq.conf` besides our own, such as a listener with TLS.
    """

    def __init__(
        self,
        state: Path,
        log: Path,
        ports: dict[str, int],
        password: str,
        cookie: str,
        account: Account | None,
        stack: str,
        more: Sequence[str] = (),
    ) -> None:
        self._folder = state / "rabbitmq"
        self._log = log
        self._ports = ports
        self._password = password
        self._cookie = cookie
        self._account = account
        self._more = more
        self._node = f"hosho-{CHECKOUT_MARK}-{stack}@localhost"
        self.url = f"amqp://{ADMINISTRATOR}:{password}@{LOOPBACK}:{ports['amqp']}"
        self.management_url = f"http://{ADMINISTRATOR}:{password}@{LOOPBACK}:{ports['management']}"

    async def start(self, server: Path) -> list[Child]:
        """Start the port mapper and the node, and wait until the node serves its API.

        Returns the children in the order in which to stop them.

        Raises:
            ChildFailed: with the end of the log, if the node does not start.
        """
        self._write_configuration()
        mapper = await start(self._program("epmd", _port_mapper(), "-address", LOOPBACK))
        children = [mapper]
        try:
            await self._mapper_listens(mapper)
            children.insert(0, await start(self._program("rabbitmq", str(server))))
            await wait_until_serving(children[0], self._ports, self._password)
        except BaseException:
            for child in children:
                await child.stop()
            raise
        return children

    def _write_configuration(self) -> None:
        lines = configuration(LOOPBACK, self._ports["amqp"], self._ports["management"], self._password)
        lines += self._more
        private_folder(self._folder, self._account)
        private_folder(self._folder / "data", self._account)
        private_file(self._folder / "rabbitmq.conf", "\n".join(lines) + "\n", self._account)
        private_file(self._folder / "enabled_plugins", "[rabbitmq_management].\n", self._account)
        private_file(self._folder / "environment", "", self._account)
        private_file(self._folder / ".erlang.cookie", self._cookie, self._account).chmod(0o400)

    def _program(self, name: str, *argv: str) -> Program:
        folder = str(self._folder)
        return Program(
            name=name,
            argv=argv,
            env={
                **passed_on(),
                "HOME": folder,
                "LANG": "C.UTF-8",
                "ERL_EPMD_PORT": str(self._ports["epmd"]),
                "ERL_EPMD_ADDRESS": LOOPBACK,
                "ERL_CRASH_DUMP_BYTES": "0",
                "RABBITMQ_NODENAME": self._node,
                "RABBITMQ_DIST_PORT": str(self._ports["distribution"]),
                "RABBITMQ_CONF_ENV_FILE": f"{folder}/environment",
                "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
                "RABBITMQ_CONFIG_FILES": f"{folder}/no-further-configuration",
                "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
                "RABBITMQ_MNESIA_BASE": f"{folder}/data",
                "RABBITMQ_LOG_BASE": folder,
                "RABBITMQ_LOGS": "-",
                "RABBITMQ_PID_FILE": f"{folder}/pid",
                "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
                # Other nodes may not connect from outside this machine.
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            },
            log=self._log,
            cwd=self._folder,
            account=self._account,
        )

    async def _mapper_listens(self, mapper: Child) -> None:
        async with asyncio.timeout(START_S_MAX):
            while not listens(self._ports["epmd"]):
                if not mapper.running:
                    raise ChildFailed(f"epmd did not start; {self._log} ends with:\n{tail(self._log)}")
                await asyncio.sleep(POLL_S)


async def wait_until_serving(node: Child, ports: Mapping[str, int], password: str) -> None:
    """Wait until a node serves its management API and AMQP on the loopback.

    Raises:
        ChildFailed: with the end of the node's log, if it ends or takes too long.
    """
    headers = {"Authorization": aiohttp.encode_basic_auth(ADMINISTRATOR, password)}
    url = f"http://{LOOPBACK}:{ports['management']}/api/health/checks/local-alarms"
    try:
        async with asyncio.timeout(START_S_MAX), aiohttp.ClientSession(headers=headers) as session:
            while node.running:
                try:
                    async with session.get(url) as answer:
                        if answer.status == 200 and listens(ports["amqp"]):
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        pass
    log = node.program.log
    raise ChildFailed(f"RabbitMQ did not start; {log} ends with:\n{tail(log)}")


def _port_mapper() -> str:
    found = shutil.which("epmd") or next(iter(map(str, Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))), None)
    if found is None:
        raise ChildFailed("epmd, a part of Erlang, is not on the path; mend the installation of RabbitMQ.")
    return found
