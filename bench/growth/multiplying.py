"""A large database made of real rows: what the product wrote for a few applications, many times over.

Rows are copied inside the database, whatever columns they have, with new names where names must differ. So they are as
the product writes them, and a change of its tables changes nothing here.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import asyncpg

SERIAL_MIN: Final = 1_000_000
"""Below it are the numbers that the product itself gave."""

_COPY_NO: Final = "copy.no"
_NUMBER: Final = (
    f"lpad((({SERIAL_MIN} + {_COPY_NO} * made.total + made.place) / 1000000)::text, 5, '0') || '-' || "
    f"lpad((({SERIAL_MIN} + {_COPY_NO} * made.total + made.place) % 1000000)::text, 6, '0')"
)
_APPLICATION: Final = f"made.application_id || '-' || {_COPY_NO}"
_EARLIER: Final = f"interval '4 seconds' * ({_COPY_NO} * made.total + made.place)"


@dataclass(frozen=True, slots=True)
class Table:
    """A table and how its rows are found and renamed.

    Attributes:
        made: joins a row, called `old`, to the guarantee it belongs to.
        renamed: what a copy has instead, by column.
    """

    name: str
    made: str
    renamed: Mapping[str, str] = field(default_factory=dict)


_BY_NUMBER: Final = "made.guarantee_number = old.guarantee_number"
_BY_APPLICATION: Final = "made.application_id = old.application_id"
_BY_KEY: Final = "old.key like made.guarantee_number || '/%'"
_NEW_KEY: Final = f"{_NUMBER} || substr(old.key, length(made.guarantee_number) + 1)"

TABLES: Final = (
    Table("intake.submission", _BY_APPLICATION, {"application_id": _APPLICATION, "answer_id": "gen_random_uuid()"}),
    Table("issuer.application", _BY_APPLICATION, {"application_id": _APPLICATION}),
    Table(
        "issuer.guarantee",
        _BY_NUMBER,
        {
            "guarantee_number": _NUMBER,
            "application_id": _APPLICATION,
            "auth_key_fingerprint": f"sha256(({_NUMBER})::bytea)",
            "taken_in_at": f"old.taken_in_at - {_EARLIER}",
            "issued_at": f"old.issued_at - {_EARLIER}",
        },
    ),
    Table("issuer.version", _BY_NUMBER, {"guarantee_number": _NUMBER, "issued_at": f"old.issued_at - {_EARLIER}"}),
    Table("platform_bridge.certificate_post", _BY_NUMBER, {"guarantee_number": _NUMBER}),
    Table("platform_bridge.errand", _BY_KEY, {"key": _NEW_KEY, "order_key": _NUMBER}),
    Table("notifier.errand", _BY_KEY, {"key": _NEW_KEY}),
)

_REMEMBERED: Final = ("issuer", "platform_bridge", "notifier")
"""Services whose inbox grows with them; a quarter of the copies is heard within the time an inbox remembers."""

_MADE: Final = """
    create temporary table made as
    select guarantee_number, application_id, row_number() over (order by guarantee_number) - 1 as place,
           count(*) over () as total
      from issuer.guarantee where guarantee_number < '00001-000000'
"""
_INBOX: Final = """
    insert into {service}.inbox (consumer, message_id, digest, heard_at)
    select consumer, gen_random_uuid(), digest, heard_at from {service}.inbox
      cross join generate_series($1::int, $2::int) as copy(no)
"""
_COLUMNS: Final = """
    select column_name from information_schema.columns
     where table_schema = $1 and table_name = $2 and is_identity = 'NO' and is_generated = 'NEVER'
     order by ordinal_position
"""


async def multiply(url: str, guarantees: int) -> int:
    """Copy what the product made until there are about so many guarantees; gives how many there are.

    The services' tables are copied at the same time, those of one service one after the other.
    """
    async with _connected(url) as connection:
        made, there = await connection.fetchrow(
            "select (select count(*) from made), (select count(*) from issuer.guarantee)"
        ) or (0, 0)
        first, last = there // made, guarantees // made - 1
        # A quarter of the copies is remembered; counted first, because the copies multiply whatever is there.
        remembered = max(0, (last - first) * made // 4 // max(1, there))
        services = dict.fromkeys(table.name.partition(".")[0] for table in TABLES)
        await asyncio.gather(*(_multiply(url, service, first, last, remembered) for service in services))
        await connection.execute("select setval('issuer.guarantee_serial', $1)", SERIAL_MIN + guarantees + 1_000)
        await connection.execute("vacuum analyze")
        return int(await connection.fetchval("select count(*) from issuer.guarantee"))


async def _multiply(url: str, service: str, first: int, last: int, remembered: int) -> None:
    async with _connected(url) as connection:
        if service in _REMEMBERED:
            await connection.execute(_INBOX.format(service=service), 1, remembered)
        for table in TABLES:
            if table.name.startswith(f"{service}."):
                columns = [row["column_name"] for row in await connection.fetch(_COLUMNS, *table.name.split("."))]
                await connection.execute(_copying(table, columns), first, last)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that sees which guarantees there are to copy."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_MADE)
        yield connection
    finally:
        await connection.close()


def _copying(table: Table, columns: Sequence[str]) -> str:
    values = ", ".join(table.renamed.get(column, f"old.{column}") for column in columns)
    return (
        f"insert into {table.name} ({', '.join(columns)}) select {values} from {table.name} old"
        f" join made on {table.made} cross join generate_series($1::int, $2::int) as copy(no)"
    )
