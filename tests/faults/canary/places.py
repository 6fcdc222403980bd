"""Everything a key could have got into, as bytes and files, each with a mark that shows that it was really seen."""

import asyncio
import html
import json
import os
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pypdf import PdfReader

from deploy.broker.management import management
from deploy.database import with_database
from deploy.local.postgres import binaries
from deploy.places import BUILD, CHECKOUT
from deploy.settings import passed_on
from shared.topology import JOURNAL_QUEUE, SERVICES
from simulators.portal.client import Portal
from tests.faults.world import World
from tests.service.ops.browsing import at_the_console

Piece = tuple[str, bytes | Path]

SERVERS_OWN: Final = ("postgres", "rabbitmq")
PEEKED_MAX: Final = 2_000
"""Messages taken from one queue; more than a short story ever leaves there."""

VIEWER: Final = "金庫係"
PAGES_MAX: Final = 150
_LINK: Final = re.compile(r'href="(/[^"/][^"]*)"')
_TROUBLE: Final = re.compile(rb'"level": ?"(?:warning|error|critical)"|Traceback|Error')
OPENAPI: Final = CHECKOUT / "docs" / "contracts" / "openapi"
HEARD_S_MAX: Final = 30.0

_TABLES: Final = """
    select schemaname || '.' || tablename from pg_tables where schemaname = any($1::text[]) order by 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a key could stand.

    Attributes:
        mark: matches something that surely stands here; where it is not seen, the search was blind.
        allowed: whether keys may stand here, and must: then finding none of them means being blind.
    """

    name: str
    pieces: tuple[Piece, ...]
    mark: re.Pattern[bytes] | None = None
    allowed: bool = False


def marks(numbers: Iterable[str]) -> re.Pattern[bytes]:
    """Matches any of these guarantee numbers: they go everywhere, so they are the mark of most places."""
    firsts = sorted({number.partition("-")[0] for number in numbers})
    return re.compile(b"(?:%s)-[0-9]{6}" % "|".join(firsts).encode())


async def queues(world: World) -> Place:
    """Every message in every queue, read as the administrator and put back; with ops up the journal is silent."""
    place = world.system.place
    async with management(place.stack.addresses.management_url, place.vhost) as api:
        names = [str(queue["name"]) for queue in await api.get(api.path("queues"))]
    pieces: list[Piece] = []
    url = with_database(place.stack.addresses.broker_url, place.vhost)
    async with await aio_pika.connect(url) as connection:
        for name in names:
            # Closing the channel gives back what was taken.
            async with connection.channel() as channel:
                queue = await channel.declare_queue(name, passive=True)
                taken = _heard(channel, queue) if name == JOURNAL_QUEUE else _taken(queue)
                pieces += [
                    (f"the queue {name}", message.body + repr(message.headers).encode()) async for message in taken
                ]
    return Place("queues", tuple(pieces), re.compile(rb"sealed_auth_key"))


async def _taken(queue: AbstractQueue) -> AsyncIterator[AbstractIncomingMessage]:
    for _ in range(PEEKED_MAX):
        message = await queue.get(no_ack=False, fail=False)
        if message is None:
            break
        yield message


async def _heard(channel: AbstractChannel, queue: AbstractQueue) -> AsyncIterator[AbstractIncomingMessage]:
    """The same for a queue that gives nothing away but to its one consumer, which is us while ops is down."""
    await channel.set_qos(prefetch_count=PEEKED_MAX)
    left = min(queue.declaration_result.message_count or 0, PEEKED_MAX)
    async with asyncio.timeout(HEARD_S_MAX), queue.iterator() as heard:
        while left > 0:
            yield await anext(heard)
            left -= 1


async def doors(world: World, number: str) -> list[Place]:
    """What ops shows to people, and what every service shows to a scrape."""
    ops = world.system.url("ops")
    token = world.system.place.stack.secrets.operator_tokens["operator"]
    journey = f"/v1/journeys?q={quote(number)}"
    shown = [(path, await _got(world, ops + path, token)) for path in (journey, *_readable("ops"))]
    told = [
        (f"{path} of {name}", await _got(world, world.system.url(name) + path, token))
        for name in SERVICES
        for path in _readable("operator_door")
    ]
    scrapes = [(f"/metrics of {name}", await _got(world, world.system.url(name) + "/metrics")) for name in SERVICES]
    journal = tuple(piece for piece in shown if "/journal/" in piece[0])
    pages = tuple(piece for piece in shown if piece not in journal)
    mark = marks([number])
    return [
        Place("the journal", journal, mark),
        Place("what ops shows", pages, re.compile(rb'"found": ?\[\{')),
        Place("operator doors", tuple(told), re.compile(rb"\{")),
        Place("metrics", tuple(scrapes), re.compile(rb"hosho_facts")),
    ]


async def console(world: World, number: str) -> Place:
    """Every page of the console that a link leads to, from the front page and from one application's journey."""
    token = world.system.place.stack.secrets.operator_tokens["operator"]
    waiting, seen = [f"/journey?{urlencode({'q': number})}", "/"], dict[str, bytes]()
    async with at_the_console(world.system.url("ops"), token) as person:
        while waiting and len(seen) < PAGES_MAX:
            path = waiting.pop()
            if path not in seen:
                page = await person.opens(path)
                seen[path] = page.encode()
                waiting += [html.unescape(link) for link in _LINK.findall(page)]
    return Place("pages of the console", tuple(seen.items()), marks([number]))


def _readable(document: str) -> list[str]:
    """The paths of a published description that can be read without knowing anything else."""
    told = json.loads((OPENAPI / f"{document}.json").read_text(encoding="utf-8"))
    return [path for path, acts in told["paths"].items() if "get" in acts and "{" not in path]


async def _got(world: World, url: str, token: str | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with world.http.get(url, headers=headers) as answer:
        return await answer.read()


async def answers(portals: Mapping[str, Portal], mark: re.Pattern[bytes]) -> Place:
    """What the portals were told, over their queues and at the doors where no key is asked for."""
    pieces: list[Piece] = []
    for name, portal in portals.items():
        heard = [repr(answer).encode() for answer in await portal.answers.all(limit=-1)]
        read = [(await door(limit="200")).body for door in (portal.doors.applications, portal.doors.guarantees)]
        pieces += [(f"what {name} was told", text) for text in (*heard, *read)]
    return Place("answers to portals", tuple(pieces), mark)


async def looks(world: World, portals: Mapping[str, Portal]) -> list[Place]:
    """The reveal and the key notice: where keys must be found, in the very answers that carry them."""
    number = next(iter(world.keys))
    revealed = [await portal.doors.reveal_key(number, VIEWER) for portal in portals.values()]
    notices = [await portal.doors.key_notice(number, VIEWER) for portal in portals.values()]
    papers = [PdfReader(BytesIO(notice.body)) for notice in notices if notice.status == 200]
    texts = ["".join(page.extract_text() for page in paper.pages) for paper in papers]
    return [
        Place("the reveal", tuple(("an answer", reply.body) for reply in revealed), allowed=True),
        Place("the key notice", tuple(("a notice", "".join(text.split()).encode()) for text in texts), allowed=True),
    ]


def programs(world: World) -> Place:
    """Arguments and environments of all services and of what they started, where the system tells them."""
    pieces: list[Piece] = []
    for name in SERVICES:
        for process in _with_children(world.system.pid(name)):
            pieces += [(f"the {what} of {name}", (process / what).read_bytes()) for what in ("cmdline", "environ")]
    return Place("arguments and environments", tuple(pieces), re.compile(b"python") if pieces else None)


def _with_children(pid: int) -> Iterator[Path]:
    process = Path("/proc", str(pid))
    if process.exists():
        yield process
        for child in (process / "task" / str(pid) / "children").read_text().split():
            yield from _with_children(int(child))


async def tables(world: World, mark: re.Pattern[bytes]) -> list[Place]:
    """Every row of every table, as JSON; what lies on the desk is a place of its own."""
    rows: dict[str, list[Piece]] = {"tables": [], "parked copies": []}
    for (table,) in await world.as_owner(_TABLES, list(SERVICES)):
        place = "parked copies" if "parked" in table else "tables"
        found = await world.as_owner(f"select to_jsonb(one)::text as row from {table} as one")
        rows[place].append((f"the table {table}", "\n".join(record["row"] for record in found).encode()))
    return [
        Place("tables", tuple(rows["tables"]), mark),
        Place("parked copies", tuple(rows["parked copies"]), re.compile(rb'"reason"')),
    ]


async def dump(world: World, mark: re.Pattern[bytes]) -> Place:
    """The database as a backup carries it away: written by the program that comes with the server."""
    place = world.system.place
    url = urlsplit(with_database(place.stack.addresses.superuser_url, place.database))
    address = (f"--host={url.hostname}", f"--port={url.port}", f"--username={url.username}")
    running = await asyncio.create_subprocess_exec(
        binaries(None) / "pg_dump",
        *(*address, "--no-password", "--format=plain", url.path.removeprefix("/")),
        env={**passed_on(), "PGPASSWORD": unquote(url.password or "")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    text, complaints = await running.communicate()
    assert running.returncode == 0, complaints.decode()
    return Place("a dump of the database", (("pg_dump", text),), mark)


def troubles(world: World) -> Place:
    """What is told of everything that went wrong: warnings, errors and the texts of exceptions, apart from the logs.

    The logs are searched as files too; this place is blind unless something really went wrong and was told of.
    """
    lines = [
        (str(path), line)
        for path in _below(world.system.place.folder / "log")
        for line in path.read_bytes().splitlines()
        if _TROUBLE.search(line)
    ]
    return Place("texts of errors", tuple(lines), re.compile(rb'"(?:error|exception|reason)": ?"[^"]'))


def files(world: World, mark: re.Pattern[bytes]) -> list[Place]:
    """Logs, what the outside remembers, what builds leave, and the servers' data where the servers are ours."""
    folder, state = world.system.place.folder, world.system.place.stack.state
    rest = _below(folder, "log", "log.before", "data", *SERVERS_OWN)
    mails = [path for path in rest if path.name.startswith("mailbox.")]
    platform = [path for path in rest if path.name.startswith("platform.")]
    others = [path for path in rest if path not in (*mails, *platform)]
    own = [
        _place("the database's log of changes", _below(state / "postgres" / "data" / "pg_wal"), mark),
        _place("the database's directory", _below(state / "postgres" / "data", "pg_wal"), mark),
        _place("the broker's directory", _below(state / "rabbitmq"), mark),
    ]
    return [
        _place("logs", _below(folder / "log"), mark),
        _place("mails", mails, mark),
        _place("files of the stack", others, None),
        _place("build", _below(BUILD), None),
        _place("what the platform keeps", platform, mark),
        *(own if world.owns_servers else ()),
    ]


def _place(name: str, paths: Iterable[Path], mark: re.Pattern[bytes] | None) -> Place:
    return Place(name, tuple((str(path), path) for path in paths), mark)


def _below(folder: Path, *without: str) -> list[Path]:
    """All files below a folder, in order; parts named are left out where they lie directly in it."""
    found = []
    for here, folders, names in os.walk(folder):
        if Path(here) == folder:
            folders[:] = [name for name in folders if name not in without]
        folders.sort()
        found += [path for name in sorted(names) if (path := Path(here, name)).is_file() and not path.is_symlink()]
    return found
