"""What the portal's pages have sent: which customer applied for what. The system's answers stand in the answer book."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators import clock
from simulators.ledger import Ledger

SENT_SCHEMA = """
create table if not exists sent (
    id text primary key, customer_number text not null, about text not null, body text not null, sent_at text not null
) strict;
create index if not exists sent_by_customer on sent (customer_number, sent_at desc);
"""
ABOUT_APPLICATION = "application"
LINES_MAX = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """One application or change; `about` is `application`, or the number of the guarantee that is to be changed."""

    id: str
    customer_number: str
    about: str
    body: Mapping[str, Any]
    sent_at: str


class SentBook:
    """Keeps what was sent, so that a customer finds it again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def keep(self, sent_id: str, customer_number: str, about: str, body: Mapping[str, Any]) -> None:
        """Keeps one; the same again changes nothing."""
        row = (sent_id, customer_number, about, json.dumps(body, ensure_ascii=False), clock.now().isoformat())
        await self._ledger.do(
            lambda db: db.execute("insert into sent values (?, ?, ?, ?, ?) on conflict do nothing", row)
        )

    async def one(self, sent_id: str, customer_number: str) -> Sent | None:
        """One of this customer's."""
        rows = await self._ledger.do(lambda db: _find(db, "id = ? and customer_number = ?", (sent_id, customer_number)))
        return rows[0] if rows else None

    async def of(self, customer_number: str, about: str) -> list[Sent]:
        """A customer's, newest first."""
        given = (customer_number, about)
        return await self._ledger.do(lambda db: _find(db, "customer_number = ? and about = ?", given))


def _find(connection: sqlite3.Connection, condition: str, given: tuple[str, ...]) -> list[Sent]:
    rows = connection.execute(
        f"select * from sent where {condition} order by sent_at desc limit {LINES_MAX}",  # noqa: S608 - from above.
        given,
    )
    return [
        Sent(row["id"], row["customer_number"], row["about"], json.loads(row["body"]), row["sent_at"]) for row in rows
    ]
