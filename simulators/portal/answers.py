"""The answers a portal has heard, kept by application; a repeated message_id is kept once."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from simulators import clock
from simulators.ledger import Ledger

SCHEMA = """
create table if not exists answer (
    no integer primary key autoincrement, message_id text not null unique, application_id text, type text not null,
    subject text not null, time text not null, data text not null, heard_at text not null,
    copies integer not null default 1
) strict;
create index if not exists answer_by_application on answer (application_id, no);
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        application_id: None where the portal's message could not be read; `data` then tells its message_id.
        copies: how often it was delivered.
    """

    message_id: str
    type: str
    subject: str
    time: str
    application_id: str | None
    data: object
    copies: int = 1


class AnswerBook:
    """Keeps answers and tells who waits for them."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._news = asyncio.Event()
        self._heard = 0

    async def keep(self, answers: Sequence[Answer]) -> None:
        """Keeps answers; returns once they are safe, so that they may be acknowledged."""
        heard_at = clock.now().isoformat()
        await self._ledger.do(lambda db: _keep(db, answers, heard_at))
        self._heard += 1
        told, self._news = self._news, asyncio.Event()
        told.set()

    async def of(self, application_id: str) -> list[Answer]:
        """The answers to one application, in the order heard."""
        return await self._ledger.do(lambda db: _find(db, application_id, 0, -1))

    async def all(self, after: int = 0, limit: int = 1000) -> list[Answer]:
        """Answers in the order heard, beginning behind the first `after` ones."""
        return await self._ledger.do(lambda db: _find(db, None, after, limit))

    async def count(self) -> int:
        """How many different answers were heard."""
        return await self._ledger.do(lambda db: int(db.execute("select count(*) from answer").fetchone()[0]))

    async def news(self, after: int) -> int:
        """Returns when more batches than `after` have been heard, and how many."""
        while self._heard <= after:
            await self._news.wait()
        return self._heard

    @property
    def heard(self) -> int:
        """How many batches of answers have been heard since the start."""
        return self._heard

    async def wait_for(self, application_id: str, *types: str, timeout_s: float = 30.0) -> Answer:
        """The first answer of one of these types to this application. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                news = self._news  # Taken before looking, so that nothing told in between is missed.
                for answer in await self.of(application_id):
                    if answer.type in types:
                        return answer
                await news.wait()


def _keep(connection: sqlite3.Connection, answers: Sequence[Answer], heard_at: str) -> None:
    connection.executemany(
        "insert into answer (message_id, application_id, type, subject, time, data, heard_at)"
        " values (?, ?, ?, ?, ?, ?, ?) on conflict (message_id) do update set copies = copies + 1",
        [
            (one.message_id, one.application_id, one.type, one.subject, one.time, json.dumps(one.data), heard_at)
            for one in answers
        ],
    )


def _find(connection: sqlite3.Connection, application_id: str | None, after: int, limit: int) -> list[Answer]:
    rows = connection.execute(
        "select * from answer where ?1 is null or application_id = ?1 order by no limit ?3 offset ?2",
        (application_id, after, limit),
    )
    return [
        Answer(
            row["message_id"],
            row["type"],
            row["subject"],
            row["time"],
            row["application_id"],
            json.loads(row["data"]),
            row["copies"],
        )
        for row in rows
    ]
