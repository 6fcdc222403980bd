"""A RabbitMQ container, for machines without an installable server."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.account import private_folder
from deploy.local.children import Child, Program, start
from deploy.local.ports import LOOPBACK
from deploy.local.rabbitmq import configuration, wait_until_serving
from deploy.places import CHECKOUT_MARK
from deploy.settings import passed_on

IMAGE: Final = "rabbitmq:4-management"
_AMQP_INSIDE: Final = 5672
_MANAGEMENT_INSIDE: Final = 15672
_ANY_ADDRESS: Final = "0.0.0.0"  # noqa: S104 - inside the container only; it is published on the loopback.


class RabbitContainer:
    """The broker of one stack in a container of its own; its data stays in a named volume."""

    def __init__(self, folder: Path, log: Path, ports: dict[str, int], password: str, stack: str) -> None:
        self._folder = folder
        self._log = log
        self._ports = ports
        self._password = password
        self._name = f"hosho-{CHECKOUT_MARK}-{stack}-rabbitmq"

    def command(self) -> Sequence[str]:
        """The command line; it stays in the foreground and ends the container when it is ended."""
        settings = self._folder / "rabbitmq-container" / "rabbitmq.conf"
        return [
            "docker", "run", "--rm", "--name", self._name, "--hostname", "hosho",
            "--publish", f"{LOOPBACK}:{self._ports['amqp']}:{_AMQP_INSIDE}",
            "--publish", f"{LOOPBACK}:{self._ports['management']}:{_MANAGEMENT_INSIDE}",
            "--volume", f"{self._name}:/var/lib/rabbitmq",
            "--volume", f"{settings}:/etc/rabbitmq/conf.d/90-hosho.conf:ro",
            IMAGE,
        ]  # fmt: skip

    async def start(self) -> list[Child]:
        """Start the container and wait until it serves its API."""
        lines = configuration(_ANY_ADDRESS, _AMQP_INSIDE, _MANAGEMENT_INSIDE, self._password)
        # The server in the container is another user, so the file is readable and its folder is not.
        folder = private_folder(self._folder / "rabbitmq-container", None)
        settings = folder / "rabbitmq.conf"
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        settings.chmod(0o644)
        program = Program("rabbitmq", self.command(), passed_on(), self._log, self._folder)
        child = await start(program)
        try:
            await wait_until_serving(child, self._ports, self._password)
        except BaseException:
            await child.stop()
            raise
        return [child]
