"""The office's desk: what the office hears, each event once however often it comes, kept in one sqlite file.

Paper orders come through `office.paper_ordered`; what became of the office's own changes through `portal.office`.
"""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from simulators import clock, wire
from simulators.ledger import Ledger

PAPER_ORDERED = "issuer.paper_ordered.v1"
CHANGE_REFUSED = "issuer.change_refused.v1"
EVENTS_MAX = 100_000

SCHEMA = """
create table if not exists heard (
    number integer primary key, event_id text not null unique, type text not null, subject text not null,
    time text not null, data text not null, portal text, application_id text, guarantee_number text,
    copies integer not null
) strict;
create index if not exists heard_by_guarantee on heard (type, guarantee_number);
"""


class Desk:
    """Keeps what was heard, the oldest making room when there is too much. `unreadable` counts what was no event."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.unreadable = 0

    async def take(self, messages: Sequence[AbstractIncomingMessage]) -> None:
        """Takes what a queue gave; a pack holds several events. Returns once all of it is kept."""
        rows: list[tuple[str | None, ...]] = []
        for message in messages:
            try:
                events = wire.read_events(message.body, message.content_type, message.headers)
            except ValueError:
                self.unreadable += 1
                continue
            rows += [_row(event, message.message_id) for event in events]
        await self._ledger.do(lambda db: _keep(db, rows))

    async def orders(self, portal: str | None = None, application_id: str | None = None) -> list[dict[str, Any]]:
        """The paper orders in the order heard, of one application or of all."""
        rows = await self._ledger.do(lambda db: _orders(db, portal, application_id))
        return [
            {name: row[name] for name in ("event_id", "type", "subject", "time", "copies")}
            | {"order": json.loads(row["data"])}
            for row in rows
        ]

    async def refusals(self, guarantee_number: str) -> dict[str, list[dict[str, Any]]]:
        """What the issuer had against the office's changes of this guarantee, by change id."""
        rows = await self._ledger.do(lambda db: _refusals(db, guarantee_number))
        told = [json.loads(row["data"]) for row in rows]
        return {str(one.get("change_id")): list(one.get("problems") or ()) for one in told}


def _row(event: wire.Event, message_id: str | None) -> tuple[str | None, ...]:
    identity = event.id or message_id or clock.new_id()
    given = event.data if isinstance(event.data, dict) else {}
    found = (given.get(name) for name in ("portal", "application_id", "guarantee_number"))
    about = (None if value is None else _kept(str(value)) for value in found)
    return *map(
        _kept, (identity, event.type, event.subject, event.time, json.dumps(event.data, ensure_ascii=False))
    ), *about


def _kept(text: str) -> str:
    # JSON can spell half a character, which no file can hold.
    return text.encode("utf-8", "replace").decode("utf-8")


def _keep(connection: sqlite3.Connection, rows: Sequence[tuple[str | None, ...]]) -> None:
    connection.executemany(
        "insert into heard (event_id, type, subject, time, data, portal, application_id, guarantee_number, copies)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, 1) on conflict (event_id) do update set copies = copies + 1",
        rows,
    )
    connection.execute("delete from heard where number <= (select max(number) from heard) - ?", (EVENTS_MAX,))


def _orders(connection: sqlite3.Connection, portal: str | None, application_id: str | None) -> list[sqlite3.Row]:
    return connection.execute(
        "select * from heard where type = ?1 and (?2 is null or portal = ?2)"
        " and (?3 is null or application_id = ?3) order by number",
        (PAPER_ORDERED, portal, application_id),
    ).fetchall()


def _refusals(connection: sqlite3.Connection, guarantee_number: str) -> list[sqlite3.Row]:
    return connection.execute(
        "select data from heard where type = ? and guarantee_number = ? order by number",
        (CHANGE_REFUSED, guarantee_number),
    ).fetchall()
