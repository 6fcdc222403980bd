"""The journal as a chain: each batch is hashed together with the hash of the batch before it.

Whoever changes, takes out or puts in an entry breaks every hash from there on; whoever cuts the end off is found by
the heads that were written to the log. An export holds the stored bytes, so that it can be verified anywhere, offline.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json, to_json

from services.ops.domain.wire import Entry

GENESIS: Final = bytes(32)
"""What the first batch is chained to."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last batch: its number, its hash, how many entries there are up to it, and when it was written if known."""

    batch_no: int
    chain: bytes
    entries: int
    written_at: datetime | None = field(default=None, compare=False)


BEGINNING: Final = Head(0, GENESIS, 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction appended. `lines` are the bytes that are stored and hashed, one for each entry."""

    batch_no: int
    previous: bytes
    chain: bytes
    lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which an export is not what was written."""

    batch_no: int
    why: str


@dataclass(frozen=True, slots=True)
class Whole:
    """An export in which everything fits."""

    head: Head


def line_of(entry: Entry, heard_at: datetime) -> bytes:
    """An entry as the bytes that are stored; they are written once and never made again."""
    told: dict[str, Any] = {
        "id": str(entry.fact_id),
        "service": entry.service,
        "type": entry.type,
        "subject": entry.subject,
        "correlation": entry.correlation,
        "time": entry.announced_at.isoformat(),
        "digest": entry.digest.hex(),
        "heard_at": heard_at.isoformat(),
    }
    if entry.search:
        told["search"] = dict(entry.search)
    return to_json(told)


def chained(batch_no: int, previous: bytes, lines: Sequence[bytes]) -> bytes:
    """The hash of a batch. The lines hold no line break of their own: JSON writes it as an escape."""
    digest = hashlib.sha256(previous)
    digest.update(b"%d %d\n" % (batch_no, len(lines)))
    digest.update(b"\n".join(lines))
    return digest.digest()


def append(head: Head, lines: Sequence[bytes]) -> Batch:
    """The batch that follows the head."""
    number = head.batch_no + 1
    return Batch(number, head.chain, chained(number, head.chain, lines), tuple(lines))


def exported(batch: Batch) -> bytes:
    """A batch as one line of an export."""
    return to_json(
        {
            "batch_no": batch.batch_no,
            "previous": batch.previous.hex(),
            "chain": batch.chain.hex(),
            "lines": [line.decode() for line in batch.lines],
        }
    )


def verify(export: Iterable[bytes]) -> Whole | Broken:
    """Follow the chain through an export from its first batch, which must be the journal's first."""
    head = BEGINNING
    for batch in _read(export):
        if isinstance(batch, Broken):
            return Broken(head.batch_no + 1, batch.why)
        if batch.batch_no != head.batch_no + 1:
            return Broken(head.batch_no + 1, f"this batch is missing; the next one here is {batch.batch_no}")
        if batch.previous != head.chain:
            return Broken(batch.batch_no, "it does not follow the batch before it")
        if chained(batch.batch_no, batch.previous, batch.lines) != batch.chain:
            return Broken(batch.batch_no, "its entries are not those that were written")
        head = Head(batch.batch_no, batch.chain, head.entries + len(batch.lines))
    return Whole(head)


def _read(export: Iterable[bytes]) -> Iterator[Batch | Broken]:
    for line in export:
        if not line.strip():
            continue
        try:
            told = from_json(line)
            yield Batch(
                batch_no=int(told["batch_no"]),
                previous=bytes.fromhex(told["previous"]),
                chain=bytes.fromhex(told["chain"]),
                lines=tuple(str(entry).encode() for entry in told["lines"]),
            )
        except (ValueError, KeyError, TypeError):
            yield Broken(0, "it cannot be read")
