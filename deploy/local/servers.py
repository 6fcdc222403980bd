"""A stack's two servers as units that can be started, ended and started again."""

import asyncio
import shutil
import subprocess
from collections.abc import Callable
from typing import Protocol

from deploy.local import install
from deploy.local.children import Child
from deploy.local.docker import RabbitContainer
from deploy.local.postgres import Postgres
from deploy.local.rabbitmq import PORTS, RabbitNode, installed_server
from deploy.local.stack import Stack
from shared.errors import Misconfigured

Say = Callable[[str], None]


class NoBroker(Misconfigured):
    """There is no RabbitMQ and no way to get one here.

    Install RabbitMQ (3.10 or newer), or start Docker, or give HOSHO_RABBITMQ_URL and HOSHO_RABBITMQ_MANAGEMENT_URL.
    """


class Server(Protocol):
    """Something that runs in child processes; `start` returns them in the order in which to stop them."""

    async def start(self) -> list[Child]:
        """Start and wait until it serves."""
        ...


class PostgresServer:
    """The private PostgreSQL of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def start(self) -> list[Child]:
        """Start and wait until it answers."""
        stack = self._stack
        server = Postgres(
            stack.state, stack.log("postgres"), stack.ports["postgres"], stack.secrets.postgres_superuser, stack.account
        )
        return [await server.start()]


class RabbitServer:
    """The private RabbitMQ of a stack: an installed one, or one that can be installed, or a container."""

    def __init__(self, stack: Stack, say: Say) -> None:
        self._stack = stack
        self._say = say

    async def start(self) -> list[Child]:
        """Start and wait until it serves its API.

        Raises:
            NoBroker: if there is none and no way to get one.
        """
        stack = self._stack
        ports = {name: stack.ports[name] for name in PORTS}
        if installed_server() is None and install.can_install():
            self._say("RabbitMQ: installing the package rabbitmq-server; the system's own broker is not started")
            await asyncio.to_thread(install.install, self._say)
        server = installed_server()
        secrets, log = stack.secrets, stack.log("rabbitmq")
        if server is not None:
            node = RabbitNode(
                stack.state, log, ports, secrets.broker_administrator, secrets.erlang_cookie, stack.account, stack.name
            )
            return await node.start(server)
        if not _docker_runs():
            raise NoBroker
        self._say("RabbitMQ: running it in a container")
        return await RabbitContainer(stack.folder, log, ports, secrets.broker_administrator, stack.name).start()


def servers_of(stack: Stack, say: Say) -> dict[str, Server]:
    """The servers that the stack runs itself, by name; those given from outside are left out."""
    servers: dict[str, Server] = {}
    if not stack.postgres_is_given:
        servers["postgres"] = PostgresServer(stack)
    if not stack.rabbitmq_is_given:
        servers["rabbitmq"] = RabbitServer(stack, say)
    return servers


def _docker_runs() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0
