"""What the mailbox keeps: messages as they came, and how often an address has misbehaved."""

import json
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default as modern

SCHEMA = """
create table if not exists message (
    id integer primary key autoincrement, received_at text not null, message_id text, mail_from text not null,
    rcpt_to text not null, content blob not null
) strict;
create index if not exists message_by_message_id on message (message_id);
create table if not exists misbehaved (address text primary key, times integer not null) strict, without rowid;
"""

_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Received:
    """One message with its envelope; `content` is exactly what stood between DATA and the dot."""

    received_at: datetime
    mail_from: str
    rcpt_to: Sequence[str]
    content: bytes


def save(connection: sqlite3.Connection, received: Received) -> int:
    """Keeps a message; gives its number."""
    head = re.split(rb"\r?\n\r?\n", received.content, maxsplit=1)[0]
    found = _MESSAGE_ID.search(head)
    cursor = connection.execute(
        "insert into message (received_at, message_id, mail_from, rcpt_to, content) values (?, ?, ?, ?, ?)",
        (
            received.received_at.isoformat(),
            found[1].decode("utf-8", "replace") if found else None,
            received.mail_from,
            json.dumps(list(received.rcpt_to), ensure_ascii=False),
            received.content,
        ),
    )
    return cursor.lastrowid or 0


def misbehave(connection: sqlite3.Connection, address: str, times_max: int) -> bool:
    """Whether this address is to misbehave now; counts it when so."""
    row = connection.execute("select times from misbehaved where address = ?", (address,)).fetchone()
    if row is not None and row["times"] >= times_max:
        return False
    connection.execute(
        "insert into misbehaved (address, times) values (?, 1) on conflict (address) do update set times = times + 1",
        (address,),
    )
    return True


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are asked for; None means any."""

    recipient: str | None = None
    message_id: str | None = None
    after: int = 0
    count: int = 1000


def find(connection: sqlite3.Connection, wanted: Wanted) -> list[sqlite3.Row]:
    """Messages in the order they came."""
    return connection.execute(
        "select * from message where id > ?1 and (?2 is null or message_id = ?2)"
        " and (?3 is null or exists (select 1 from json_each(rcpt_to) where value = ?3)) order by id limit ?4",
        (wanted.after, wanted.message_id, wanted.recipient, wanted.count),
    ).fetchall()


def one(connection: sqlite3.Connection, number: int) -> sqlite3.Row | None:
    """The message of this number."""
    row: sqlite3.Row | None = connection.execute("select * from message where id = ?", (number,)).fetchone()
    return row


def count(connection: sqlite3.Connection) -> int:
    """How many messages there are."""
    total: int = connection.execute("select count(*) from message").fetchone()[0]
    return total


def clear(connection: sqlite3.Connection) -> None:
    """Forgets every message and every misbehaviour; numbers go on from where they were."""
    connection.execute("delete from message")
    connection.execute("delete from misbehaved")


def brief(row: sqlite3.Row) -> dict[str, object]:
    """What a ledger needs of a message: the envelope and the text. A tenth of the work of `shown`."""
    # Parsed the old way, which leaves the headers alone: they are what takes the time.
    parts = message_from_bytes(row["content"]).walk()
    plain = (part for part in parts if part.get_content_type() == "text/plain")
    return _envelope(row) | {"text": next(map(_old_text, plain), None)}


def _old_text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    text = payload if isinstance(payload, bytes) else b""
    return text.decode(part.get_content_charset() or "utf-8", "replace")


def _envelope(row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "message_id": row["message_id"],
        "received_at": row["received_at"],
        "from": row["mail_from"],
        "to": json.loads(row["rcpt_to"]),
    }


def shown(row: sqlite3.Row) -> dict[str, object]:
    """A message as readers see it: subject and bodies decoded, headers in their order."""
    parsed = message_from_bytes(row["content"], policy=modern)
    return _envelope(row) | {
        "subject": str(parsed["Subject"]) if parsed["Subject"] is not None else None,
        "text": _body(parsed, "plain"),
        "html": _body(parsed, "html"),
        "headers": [[name, str(value)] for name, value in parsed.items()],
        "size_bytes": len(row["content"]),
    }


def _body(parsed: EmailMessage, subtype: str) -> str | None:
    part = parsed.get_body((subtype,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        # An unknown charset is the sender's mistake; showing it badly is better than hiding the mail.
        return repr(part.get_payload())
