"""The journal is a chain: whatever is changed, taken out, put in or cut off is found, from an export alone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from services.ops.domain import journal
from services.ops.domain.journal import BEGINNING, Broken, Head, Whole
from services.ops.domain.wire import Entry

AT = datetime(2026, 4, 1, 1, tzinfo=UTC)


def _entry(number: int) -> Entry:
    return Entry(
        UUID(int=number), "intake", "t.v1", f"s\n{number}", "portal-a/A-1", AT, b"\x01", {"project": "三島市○○工事"}
    )


def _export(sizes: list[int]) -> tuple[list[bytes], Head]:
    head, lines, number = BEGINNING, [], 0
    for size in sizes:
        entries = [_entry(number + offset) for offset in range(size)]
        number += size
        batch = journal.append(head, [journal.line_of(one, AT + timedelta(seconds=number)) for one in entries])
        head = Head(batch.batch_no, batch.chain, head.entries + size)
        lines.append(journal.exported(batch))
    return lines, head


def test_an_export_is_whole_and_ends_at_the_head() -> None:
    lines, head = _export([3, 1, 200])

    assert journal.verify(lines) == Whole(head)
    assert head.entries == 204
    assert journal.verify([]) == Whole(BEGINNING)


def test_a_line_holds_what_was_announced_and_no_line_break() -> None:
    line = journal.line_of(_entry(1), AT)

    assert b"\n" not in line
    assert from_json(line)["subject"] == "s\n1"
    assert from_json(line)["search"] == {"project": "三島市○○工事"}


@given(at=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
@settings(max_examples=300, deadline=None)
def test_a_changed_byte_is_found_wherever_it_is(at: int, flip: int) -> None:
    lines, head = _export([2, 3])
    whole = bytearray(b"\n".join(lines))
    whole[at % len(whole)] ^= flip
    found = journal.verify(bytes(whole).split(b"\n"))

    # Only a byte outside of what is read, as a hexadecimal digit's case, may leave it as it was.
    assert isinstance(found, Broken) or found == Whole(head)
    if isinstance(found, Whole):
        assert bytes(whole).lower() == b"\n".join(lines).lower()


@pytest.mark.parametrize(
    ("order", "batch_no", "why"),
    [
        ([0, 2], 2, "missing"),
        ([1, 2], 1, "missing"),
        ([0, 0, 1], 2, "missing"),
        ([0, 2, 1], 2, "missing"),
    ],
)
def test_a_batch_that_is_missing_repeated_or_moved_is_named(order: list[int], batch_no: int, why: str) -> None:
    lines, _ = _export([1, 2, 1])
    found = journal.verify([lines[number] for number in order])

    assert isinstance(found, Broken)
    assert found.batch_no == batch_no
    assert why in found.why


def test_a_journal_written_anew_after_a_change_no_longer_fits_the_head_in_the_log() -> None:
    lines, head = _export([2, 2])
    forged, other = _export([2, 1])

    assert journal.verify(lines[:1]) != Whole(head)
    assert journal.verify(forged) == Whole(other)
    assert other.chain != head.chain


def test_an_entry_cannot_move_to_the_next_batch() -> None:
    one, _ = _export([1, 2])
    other, _ = _export([2, 1])

    assert isinstance(journal.verify([one[0], other[1]]), Broken)


def test_a_batch_written_anew_cannot_be_linked_to_the_old_ones_after_it() -> None:
    """The hash of a batch is over the one before too; else the end, and the head in the log, would still fit."""
    lines, _ = _export([1, 1])
    forged = journal.append(BEGINNING, [b'{"id": "another"}'])
    told = from_json(lines[1]) | {"previous": forged.chain.hex()}
    found = journal.verify([journal.exported(forged), to_json(told)])

    assert isinstance(found, Broken)
    assert found.batch_no == 2
