"""One stack: a named set of servers and processes with its folder, its ports and its secrets.

`.run/<stack>/` holds everything about it: `stack.json` (ports), `secrets.json`, `portals.toml`, `operators.toml`,
`log/`. The servers' data lies there too, or below `/var/lib/hosho` when root runs us, with a link to it in the folder.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import urlsplit, urlunsplit

from deploy import operators
from deploy.database import OWNER, role_of, with_database, with_user
from deploy.local import postgres, rabbitmq
from deploy.local.account import Account, private_file, private_folder, unprivileged
from deploy.local.ports import LOOPBACK, reserved
from deploy.local.secret_store import Secrets
from deploy.places import CHECKOUT_MARK, PORTALS_FILE, ROOT_STATE, RUN
from deploy.portals import filled, plan_for
from deploy.settings import DeploySettings
from shared.errors import Misconfigured
from shared.portals import Portals
from shared.topology import SERVICES

SIMULATORS: Final = ("platform", "mailbox", "portal", "core")
SERVER_PORTS: Final = ("postgres", *rabbitmq.PORTS)
PROGRAM_PORTS: Final = (*SERVICES, *(f"{name}-simulator" for name in SIMULATORS), "smtp")

DATABASE: Final = "hosho"
VHOST: Final = "hosho"


class AlreadyRunning(Misconfigured):
    """Another process runs this stack; wait for it, or end it (`make down` ends what `make up` runs)."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where one stack's servers are, as their administrators."""

    superuser_url: str
    broker_url: str
    management_url: str

    def owner_url(self, database: str, secrets: Secrets) -> str:
        """A database as the owner role, who migrates."""
        return with_user(with_database(self.superuser_url, database), OWNER, secrets.roles[OWNER])

    def database_url(self, service: str, database: str, secrets: Secrets) -> str:
        """A database as a service's role."""
        role = role_of(service)
        return with_user(with_database(self.superuser_url, database), role, secrets.roles[role])

    def vhost_url(self, user: str, vhost: str, secrets: Secrets) -> str:
        """A virtual host as a service's, a portal's or the core system's user."""
        return with_database(with_user(self.broker_url, user, secrets.broker_users[user]), vhost)


class Stack:
    """What is known about a stack; `taken()` gives the right to run it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = RUN / name
        self.account: Account | None = unprivileged()
        self.state = self.folder if self.account is None else ROOT_STATE / CHECKOUT_MARK / name
        plan = plan_for(PORTALS_FILE)
        portals = [portal.id for portal in Portals.load(PORTALS_FILE)]
        self.secrets = Secrets.load_or_make(
            self.folder / "secrets.json", [rights.user for rights in plan.rights], portals, operators.names()
        )
        self._settings = DeploySettings()

    @property
    def portals_file(self) -> Path:
        """The portals file with the hashes of this stack's tokens."""
        return self.folder / "portals.toml"

    @property
    def operators_file(self) -> Path:
        """The operators file with the hashes of this stack's tokens."""
        return self.folder / "operators.toml"

    @property
    def ports(self) -> dict[str, int]:
        """The remembered ports; empty before the first start."""
        path = self.folder / "stack.json"
        found: dict[str, int] = json.loads(path.read_text())["ports"] if path.exists() else {}
        return found

    @property
    def addresses(self) -> Addresses:
        """Where the servers are: given ones from the environment, private ones by the remembered ports."""
        given, ports = self._settings, self.ports
        superuser = (
            f"postgresql://{postgres.SUPERUSER}:{self.secrets.postgres_superuser}@{LOOPBACK}:{ports['postgres']}"
        )
        broker, management = self._broker_urls(ports)
        return Addresses(
            superuser_url=given.postgres_url.get_secret_value() if given.postgres_url else f"{superuser}/postgres",
            broker_url=broker,
            management_url=management,
        )

    def _broker_urls(self, ports: dict[str, int]) -> tuple[str, str]:
        given = self._settings
        if given.rabbitmq_url is None:
            who = f"{rabbitmq.ADMINISTRATOR}:{self.secrets.broker_administrator}@{LOOPBACK}"
            return f"amqp://{who}:{ports['amqp']}", f"http://{who}:{ports['management']}"
        if given.rabbitmq_management_url is None:
            raise Misconfigured("HOSHO_RABBITMQ_URL is given; give HOSHO_RABBITMQ_MANAGEMENT_URL too.")
        broker = urlunsplit(urlsplit(given.rabbitmq_url.get_secret_value())._replace(path=""))
        return broker, given.rabbitmq_management_url.get_secret_value()

    @property
    def postgres_is_given(self) -> bool:
        """Whether somebody else runs the database server."""
        return self._settings.postgres_url is not None

    @property
    def rabbitmq_is_given(self) -> bool:
        """Whether somebody else runs the broker."""
        return self._settings.rabbitmq_url is not None

    def log(self, name: str) -> Path:
        """Where a child's output goes."""
        return self.folder / "log" / f"{name}.log"

    def runner_pid(self) -> int | None:
        """The process that runs this stack now, if any."""
        path = self.folder / "runner.lock"
        if not path.exists():
            return None
        with path.open("r+") as lock:
            if _locked(lock):
                return None
            text = path.read_text().strip()
        return int(text) if text else None

    @contextmanager
    def taken(self, port_names: Sequence[str]) -> Iterator[Self]:
        """Hold the stack for the length of a block: nobody else runs it, its folders exist, its ports are free.

        Raises:
            AlreadyRunning: if another process holds it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "runner.lock").open("a+") as lock:
            if not _locked(lock):
                who = (self.folder / "runner.lock").read_text()
                raise AlreadyRunning(f"The stack {self.name} is run by process {who} already; wait for it, or end it.")
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self._make_folders()
            with reserved(port_names, self.ports, f"{CHECKOUT_MARK}/{self.name}") as ports:
                private_file(self.folder / "stack.json", json.dumps({"ports": {**self.ports, **ports}}, indent=1))
                yield self
            lock.truncate(0)

    def write_portals(self, link_bases: dict[str, str]) -> None:
        """Write the portals file and the operators file with this stack's token hashes."""
        private_file(self.portals_file, filled(PORTALS_FILE, self.secrets.portal_tokens, link_bases))
        private_file(self.operators_file, operators.filled(self.secrets.operator_tokens))

    def forget_data(self) -> None:
        """Delete the servers' data; ports and secrets stay."""
        for server in ("postgres", "rabbitmq"):
            shutil.rmtree(self.state / server, ignore_errors=True)

    def forget(self) -> None:
        """Delete the stack with all its data."""
        if self.state != self.folder:
            shutil.rmtree(self.state, ignore_errors=True)
            with suppress(OSError):
                # Other stacks of this checkout may still be there.
                self.state.parent.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make_folders(self) -> None:
        log, before = self.folder / "log", self.folder / "log.before"
        if log.exists():
            shutil.rmtree(before, ignore_errors=True)
            log.rename(before)
        log.mkdir()
        if self.account is None:
            return
        for shared in (ROOT_STATE, ROOT_STATE / CHECKOUT_MARK):
            shared.mkdir(mode=0o755, parents=True, exist_ok=True)
        private_folder(self.state, self.account)
        link = self.folder / "data"
        if not link.is_symlink():
            # A checkout that stood here before left it behind; its passwords went away with that checkout.
            self.forget_data()
            link.symlink_to(self.state)


def _locked(file: IO[str]) -> bool:
    """Try to take an exclusive lock, which the kernel gives back when the file is closed or the process dies."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
