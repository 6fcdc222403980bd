"""One application with TLS on every way that keys and passwords take: to the broker, the database and the platform.

The services are the real ones, each in a process of its own. What they are told apart from a plain start is addresses.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import pytest

from deploy import broker as brokers
from deploy import database
from deploy.broker.management import management
from deploy.database import with_database, with_user
from deploy.local.children import Child, Program, start
from deploy.local.ports import reserved
from deploy.local.programs import Place, ready_url, service_programs, simulator, simulator_programs
from deploy.local.runner import ProgramServer, asked
from deploy.local.screen import say
from deploy.local.secret_store import Secrets
from deploy.local.stack import PROGRAM_PORTS
from deploy.local.supervisor import Supervisor
from deploy.portals import plan_for
from simulators.portal.doors import Doors
from simulators.portal.samples import example
from tests.conftest import Servers
from tests.e2e.ledger import moment
from tests.eventually import eventually
from tests.security.authority import Authority
from tests.security.conftest import SecureBroker
from tests.security.fronts import Front, front

PORTAL: Final = "portal-c"
VHOST: Final = "hosho-tls"
PLATFORM: Final = simulator("platform")
MAILBOX: Final = simulator("mailbox")
ISSUED_S_MAX: Final = 60.0
REFUSED_S_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Secured:
    """A system whose services know no plain address of broker, database or platform.

    Attributes:
        programs: how each service is started, with the addresses it is given.
        database, platform: the fronts that all connections to these two come through.
    """

    place: Place
    supervisor: Supervisor
    programs: Mapping[str, Program]
    database: Front
    platform: Front
    broker: SecureBroker
    http: aiohttp.ClientSession

    @property
    def secrets(self) -> Secrets:
        """The tokens and passwords of the stack."""
        return self.place.stack.secrets

    async def remembered(self, name: str, path: str, part: str, token: str = "") -> list[dict[str, Any]]:
        """What a simulator remembers."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.get(self.place.url(name) + path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            found: list[dict[str, Any]] = (await answer.json())[part]
            return found

    async def connections(self) -> list[tuple[str, bool]]:
        """Who is connected to the broker, and whether over TLS."""
        async with management(self.broker.management_url, VHOST) as api:
            found = await api.get("/api/connections")
        return [(str(one["user"]), bool(one["ssl"])) for one in found if one.get("vhost") == VHOST]

    @asynccontextmanager
    async def trusting(self, name: str, **settings: str) -> AsyncIterator[Child]:
        """A service started again with other settings, for the length of a block; it need not become ready."""
        await self.supervisor.end(name)
        more = {f"{name.upper()}_{key}": value for key, value in settings.items()}
        program = self.programs[name]
        child = await start(replace(program, env={**program.env, **more}, log=program.log.with_suffix(".again")))
        try:
            yield child
        finally:
            await child.stop()

    def setting(self, name: str, key: str) -> str:
        """What a service is given."""
        return self.programs[name].env[f"{name.upper()}_{key}"]


@pytest.fixture(scope="module")
async def secured(
    servers_of_module: Servers,
    secure_broker: SecureBroker,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Secured]:
    """All services, and what one application meets of the outside."""
    stack, folder = servers_of_module.local, tmp_path_factory.mktemp("secured")
    (folder / "log").mkdir()
    async with management(secure_broker.management_url, VHOST) as api:
        await brokers.apply(api, plan_for(stack.portals_file), stack.secrets.broker_users)
    context, server = authority.vouch().context(), urlsplit(stack.addresses.superuser_url)
    assert server.hostname
    assert server.port
    with reserved(PROGRAM_PORTS, {}, str(folder)) as ports:
        place = Place(stack, ports, folder, servers_of_module.database, VHOST)
        async with (
            front(server.hostname, server.port, context, is_postgres=True) as database,
            front("127.0.0.1", ports[PLATFORM], context) as platform,
            aiohttp.ClientSession() as http,
        ):
            programs = {
                name: _secured(program, place, database, platform, secure_broker, authority)
                for name, program in service_programs(place).items()
            }
            outside = {name: simulator_programs(place)[name] for name in (PLATFORM, MAILBOX)}
            supervisor = Supervisor(say, folder / "children")
            every = {**outside, **programs}
            try:
                units = {name: ProgramServer(one, ready_url(place, name)) for name, one in every.items()}
                await supervisor.start(units, heal=False)
                yield Secured(place, supervisor, programs, database, platform, secure_broker, http)
            finally:
                await supervisor.stop()


def _secured(
    program: Program, place: Place, database: Front, platform: Front, broker: SecureBroker, authority: Authority
) -> Program:
    """The program with addresses that ask for TLS and name who vouches, and nothing else changed."""
    name, stack = program.name.upper(), place.stack
    server = urlsplit(stack.addresses.superuser_url).netloc.rpartition("@")[2]
    plain = program.env[f"{name}_DATABASE_URL"]
    user = with_user(broker.url, program.name, stack.secrets.broker_users[program.name])
    changed = {
        f"{name}_DATABASE_URL": plain.replace(server, f"127.0.0.1:{database.port}")
        + f"?sslmode=verify-full&sslrootcert={authority.file}",
        f"{name}_BROKER_URL": f"{with_database(user, VHOST)}?cafile={authority.file}",
    }
    if program.name == "platform_bridge":
        changed[f"{name}_PLATFORM_URL"] = f"https://127.0.0.1:{platform.port}"
        changed[f"{name}_PLATFORM_CA_FILE"] = str(authority.file)
    return replace(program, env={**program.env, **changed})


async def _through(secured: Secured, application: dict[str, Any]) -> str:
    """Send an application and see it through to 発行日時 and mail; gives the guarantee's number."""
    url = secured.place.url
    async with Doors(url("intake"), url("issuer"), secured.secrets.portal_tokens[PORTAL]) as doors:
        taken = await doors.apply(application)
        assert taken.status == 202, taken.body

        async def issued() -> dict[str, Any]:
            listed = (await doors.guarantees(application_id=application["application_id"])).json()["items"]
            found: list[dict[str, Any]] = [one for one in listed if one["issued_at"]]
            assert found
            return found[0]

        guarantee = await eventually(issued, within_s=ISSUED_S_MAX)
    number = str(guarantee["guarantee_number"])

    async def mailed() -> bool:
        return any(number in one["text"] for one in await secured.remembered(MAILBOX, "/messages", "messages"))

    await eventually(mailed, within_s=ISSUED_S_MAX)
    kept = await secured.remembered(PLATFORM, "/admin/certificates", "certificates", secured.secrets.platform_token)

    assert [moment(one["arrived_at"]) for one in kept if one["key"] == f"{number}/1"] == [
        moment(guarantee["issued_at"])
    ]
    return number


async def test_one_application_is_issued_and_mailed_with_tls_on_every_way(secured: Secured) -> None:
    """From the form to 発行日時 and the mail: the services reach broker, database and platform over TLS only."""
    await _through(secured, example(PORTAL, "TLS-1"))

    async def all_connected() -> list[tuple[str, bool]]:
        found = await secured.connections()
        assert {user for user, _ in found} == set(secured.programs)
        return found

    connected = await eventually(all_connected, within_s=ISSUED_S_MAX)

    assert all(is_secure for _, is_secure in connected), connected
    assert secured.database.connections >= len(secured.programs)
    assert secured.platform.connections >= 1


async def test_neither_logs_nor_journal_tell_of_people(secured: Secured, servers_of_module: Servers) -> None:
    """Of a whole story, the mail included; the guarantee is told of in both, so the search is not blind."""
    application = example(PORTAL, "TLS-2")
    contact, mail = application["contact"], application["completion_mail"]
    people = [contact["name"], contact["phone"], mail["address"], mail["address"].partition("@")[0]]
    number = await _through(secured, application)
    logs = {path.name: path.read_text(encoding="utf-8") for path in (secured.place.folder / "log").glob("*.log")}
    ours = {name: text for name, text in logs.items() if name.removesuffix(".log") in secured.programs}

    async def journal() -> str:
        async with database.connected(servers_of_module.owner_url) as owner:
            rows = await owner.fetch("select to_jsonb(entry)::text as told from ops.journal_entry as entry")
        text = "\n".join(row["told"] for row in rows)
        assert number in text
        return text

    searched = {**ours, "the journal": await eventually(journal, within_s=ISSUED_S_MAX)}

    assert len(ours) == len(secured.programs)
    assert sum(number in text for text in searched.values()) > 2
    assert [(name, one) for name, text in searched.items() for one in people if one in text] == []


async def test_a_service_that_does_not_know_the_authority_waits_and_gives_no_password_away(
    secured: Secured, authority: Authority, stranger: Authority
) -> None:
    """It is not ready, and its log says why."""

    def by_stranger(name: str, key: str) -> str:
        return secured.setting(name, key).replace(str(authority.file), str(stranger.file))

    async with secured.trusting("issuer", DATABASE_URL=by_stranger("issuer", "DATABASE_URL")) as child:
        await eventually(lambda: _told(child, "SSLCertVerificationError"), within_s=REFUSED_S_MAX)
        is_ready = await _is_ready(secured, "issuer")
    async with secured.trusting("notifier", BROKER_URL=by_stranger("notifier", "BROKER_URL")) as child:
        await eventually(lambda: _told(child, "CERTIFICATE_VERIFY_FAILED"), within_s=REFUSED_S_MAX)
        is_ready = is_ready or await _is_ready(secured, "notifier")
        connected = {user for user, _ in await secured.connections()}

    assert not is_ready
    assert "notifier" not in connected


async def _is_ready(secured: Secured, name: str) -> bool:
    status, _ = await asked(secured.http, ready_url(secured.place, name))
    return status == 200


def _told(child: Child, text: str) -> bool:
    return text in child.program.log.read_text(encoding="utf-8")
