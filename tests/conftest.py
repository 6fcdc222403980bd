"""One set of servers for the whole run, and for each worker a virtual host and a database of its own.

The servers are real: a private PostgreSQL and a private RabbitMQ on free ports, started once and shared by all workers
and by test runs that follow soon after. Every service speaks to them as its own broker user and database role, so a
missing right fails here and not at a deployment.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from deploy import database as databases
from deploy.broker.management import management
from deploy.local.lease import leased
from deploy.local.prepare import prepare_broker
from deploy.local.stack import Stack
from shared.topology import SERVICES

T = TypeVar("T")

# A machine that is busy makes an example slow, not wrong: no test asserts a time.
settings.register_profile("hosho", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hosho")


@dataclass(frozen=True, slots=True)
class Servers:
    """One worker's part of the test servers.

    Attributes:
        vhost: the worker's virtual host, with the whole topology, users and rights.
        database: the worker's database, migrated for all services.
        superuser_url: the database server's superuser, in the maintenance database.
        owner_url: the worker's database as the owner role.
        management_url: the broker's management API, with an administrator's credentials in it.
        broker_admin_url: the worker's virtual host as the administrator.
        portals_file: the portals file with the hashes of the test tokens.
        local: the stack behind all this, with its secrets.
    """

    vhost: str
    database: str
    superuser_url: str = field(repr=False)
    owner_url: str = field(repr=False)
    management_url: str = field(repr=False)
    broker_admin_url: str = field(repr=False)
    portals_file: Path
    local: Stack

    def database_url(self, service: str) -> str:
        """The worker's database as a service's role: `intake`, `issuer`, …"""
        return self.local.addresses.database_url(service, self.database, self.local.secrets)

    def broker_url(self, user: str) -> str:
        """The worker's virtual host as a broker user: a service, a portal, `office` or `core`."""
        return self.local.addresses.vhost_url(user, self.vhost, self.local.secrets)

    def token(self, portal: str) -> str:
        """The bearer token of a portal or of the office."""
        return self.local.secrets.portal_tokens[portal]

    @property
    def operators_file(self) -> Path:
        """The operators file with the hashes of the test tokens."""
        return self.local.operators_file

    def operator_token(self, name: str) -> str:
        """The bearer token of `viewer`, of `operator`, or of `ops`, which only looks."""
        return self.local.secrets.operator_tokens[name]

    @property
    def sealing_keys(self) -> str:
        """A key ring for `SEALING_KEYS`."""
        return self.local.secrets.sealing_keys

    @property
    def signing_key(self) -> str:
        """A key for `SIGNING_KEY`."""
        return self.local.secrets.signing_key

    def delete_vhost(self, name: str) -> None:
        """Delete a virtual host that a test made for itself."""
        _apart(lambda: _delete_vhost(self.local, name))


def _apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a loop of its own, leaving the tests' loop alone."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


@pytest.fixture(scope="session")
def _leased() -> Iterator[Stack]:
    with leased() as stack:
        yield stack


@pytest.fixture(scope="session")
def database(_leased: Stack) -> Iterator[str]:
    """The name of a migrated database of this worker's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _apart(lambda: _make_database(_leased, name))
    yield name
    _apart(lambda: databases.drop(_leased.addresses.superuser_url, name))


@pytest.fixture(scope="session")
def vhost(_leased: Stack) -> Iterator[str]:
    """The name of a virtual host of this worker's own, with the whole topology, users and rights."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    _apart(lambda: prepare_broker(_leased, name))
    yield name
    _apart(lambda: _delete_vhost(_leased, name))


@pytest.fixture(scope="session")
def stack(_leased: Stack, vhost: str, database: str) -> Servers:
    """This worker's virtual host and database, as every user and role."""
    addresses = _leased.addresses
    return Servers(
        vhost=vhost,
        database=database,
        superuser_url=addresses.superuser_url,
        owner_url=addresses.owner_url(database, _leased.secrets),
        management_url=addresses.management_url,
        broker_admin_url=databases.with_database(addresses.broker_url, vhost),
        portals_file=_leased.portals_file,
        local=_leased,
    )


@pytest.fixture
def fresh_database(_leased: Stack, stack: Servers) -> Iterator[Servers]:
    """The same as `stack`, with a database that no other test has touched; takes about a tenth of a second."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _apart(lambda: _make_database(_leased, name))
    yield _with_database(stack, name, _leased)
    _apart(lambda: databases.drop(_leased.addresses.superuser_url, name))


@pytest.fixture(scope="module")
def servers_of_module(_leased: Stack, stack: Servers) -> Iterator[Servers]:
    """The same as `stack`, with a database and a virtual host that no other module's tests touch."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    _apart(lambda: _make_database(_leased, name))
    _apart(lambda: prepare_broker(_leased, name))
    admin_url = databases.with_database(_leased.addresses.broker_url, name)
    yield replace(_with_database(stack, name, _leased), vhost=name, broker_admin_url=admin_url)
    _apart(lambda: _delete_vhost(_leased, name))
    _apart(lambda: databases.drop(_leased.addresses.superuser_url, name))


def _with_database(stack: Servers, name: str, leased_stack: Stack) -> Servers:
    owner_url = leased_stack.addresses.owner_url(name, leased_stack.secrets)
    return Servers(
        vhost=stack.vhost,
        database=name,
        superuser_url=stack.superuser_url,
        owner_url=owner_url,
        management_url=stack.management_url,
        broker_admin_url=stack.broker_admin_url,
        portals_file=stack.portals_file,
        local=leased_stack,
    )


async def _make_database(stack: Stack, name: str) -> None:
    """Copy the template that the migrations of this moment make; the first who needs it makes it."""
    files = [migration for service in SERVICES for migration in databases.migrations_of(service)]
    mark = hashlib.sha256("\n".join(f"{file.name} {file.sha256}" for file in files).encode()).hexdigest()[:12]
    addresses, template = stack.addresses, f"template_{mark}"
    await databases.make_template(addresses.superuser_url, template, stack.secrets.roles)
    await databases.create_from(addresses.superuser_url, name, template)


async def _delete_vhost(stack: Stack, name: str) -> None:
    async with management(stack.addresses.management_url, name) as api:
        await api.delete(api.path("vhosts"))
