"""The statements of ops: arrays in, nothing out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.ops.domain import Entry, Parked

if TYPE_CHECKING:
    from shared.postgres import Connection

_ADD_ENTRIES = """
    insert into journal_entry (fact_id, service, type, subject, correlation, announced_at, digest)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[])
    on conflict (fact_id, digest) do nothing
"""
_ADD_PARKED = """
    insert into parked_fact (parked_id, fact_id, consumer, code, reason, type, subject, correlation, replay, body)
    select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::int[], $10::bytea[])
    on conflict (parked_id) do nothing
"""


async def add_entries(connection: "Connection", entries: Sequence[Entry]) -> None:
    """Append announcements; one that stands there already, with the same content, is left alone."""
    ordered = sorted(entries, key=lambda entry: (entry.fact_id, entry.digest))
    await connection.execute(
        _ADD_ENTRIES,
        [entry.fact_id for entry in ordered],
        [entry.service for entry in ordered],
        [entry.type for entry in ordered],
        [entry.subject for entry in ordered],
        [entry.correlation for entry in ordered],
        [entry.announced_at for entry in ordered],
        [entry.digest for entry in ordered],
    )


async def add_parked(connection: "Connection", parked: Sequence[Parked]) -> None:
    """Append to the desk; what lies there already is left alone."""
    ordered = sorted(parked, key=lambda item: item.id)
    await connection.execute(
        _ADD_PARKED,
        [item.id for item in ordered],
        [item.fact_id for item in ordered],
        [item.consumer for item in ordered],
        [item.code for item in ordered],
        [item.reason for item in ordered],
        [item.type for item in ordered],
        [item.subject for item in ordered],
        [item.correlation for item in ordered],
        [item.replay for item in ordered],
        [item.body for item in ordered],
    )
