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

_GUARANTEE_NUMBER = re.compile(r"(?<![0-9-])[0-9]{5}-[0-9]{6}(?![0-9-])")
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
        "select * from message where (?1 is null or message_id = ?1)"
        " and (?2 is null or exists (select 1 from json_each(rcpt_to) where value = ?2))"
        " and id > ?3 order by id limit ?4",
        (wanted.message_id, wanted.recipient, wanted.after, wanted.count),
    ).fetchall()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of the list, newest first, and where it stands among all that the filter lets through.

    Attributes:
        total: how many messages the filter lets through.
        newer: how many of them are newer than this page.
        newer_below: below which number the page before this one begins; None where that is the first page.
    """

    rows: Sequence[sqlite3.Row]
    total: int
    newer: int
    newer_below: int | None


def sheet(connection: sqlite3.Connection, recipient: str | None, before: int, count: int) -> Sheet:
    """The page of messages with a number below `before`."""
    rows = connection.execute(
        "select * from message where (?1 is null or exists (select 1 from json_each(rcpt_to) where value = ?1))"
        " and id < ?2 order by id desc limit ?3",
        (recipient, before, count),
    ).fetchall()
    total = matching(connection, Wanted(recipient))
    newer = matching(connection, Wanted(recipient, after=before - 1))
    # The page before shows the `count` that come next above this one, so it begins below the one after those.
    edge = connection.execute(
        "select id from message where (?1 is null or exists (select 1 from json_each(rcpt_to) where value = ?1))"
        " and id >= ?2 order by id limit 1 offset ?3",
        (recipient, before, count),
    ).fetchone()
    return Sheet(rows, total, newer, None if edge is None else edge["id"])


def one(connection: sqlite3.Connection, number: int) -> sqlite3.Row | None:
    """The message of this number."""
    row: sqlite3.Row | None = connection.execute("select * from message where id = ?", (number,)).fetchone()
    return row


def matching(connection: sqlite3.Connection, wanted: Wanted) -> int:
    """How many messages these wishes let through beyond `after`, whatever `count` says."""
    total: int = connection.execute(
        "select count(*) from message where (?1 is null or message_id = ?1)"
        " and (?2 is null or exists (select 1 from json_each(rcpt_to) where value = ?2)) and id > ?3",
        (wanted.message_id, wanted.recipient, wanted.after),
    ).fetchone()[0]
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


def guarantee_numbers(message: dict[str, object]) -> list[str]:
    """The 保証契約番号 that a shown message names in its subject or its text, each once."""
    said = f"{message['subject'] or ''}\n{message['text'] or ''}"
    return list(dict.fromkeys(_GUARANTEE_NUMBER.findall(said)))


def sender(row: sqlite3.Row) -> str | None:
    """Whom a message says it is from; the envelope may say otherwise."""
    given = message_from_bytes(row["content"], policy=modern)["From"]
    return None if given is None else str(given)


def _body(parsed: EmailMessage, subtype: str) -> str | None:
    part = parsed.get_body((subtype,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        # An unknown charset is the sender's mistake; showing it badly is better than hiding the mail.
        return repr(part.get_payload())
