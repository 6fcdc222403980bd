"""The ledger's counts are kept as its rows are written: true whatever comes when, and read without the rows."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from deploy.database import connected
from services.ops.domain.ledger import Application, Move
from services.ops.store import finding, journal, ledger
from services.ops.store.ledger import Counted
from tests.conftest import Servers

if TYPE_CHECKING:
    from shared.postgres import Connection

AT: Final = datetime(2026, 4, 1, tzinfo=UTC)
DONE_LINES: Final = 30_000
WAITING_LINES: Final = 200
KINDS: Final = ("advance_payment", "contract_performance")
STATUSES: Final = ("requested", "awaiting_conclusion", "in_transit", "active", "declined", "refused_by_platform")
ROUNDS: Final = 60

_LINES: Final = """
    insert into ledger_line (correlation, kind, form, guarantee_number, status, since)
    select 'portal-a/' || $2 || n, 'advance_payment', 'electronic', $2 || n, $3, now() - interval '1 day'
      from generate_series(1, $1::int) n
"""
_PARKED: Final = """
    insert into parked_fact (parked_id, consumer, code, reason, type, subject, correlation, replay, body)
    select gen_random_uuid(), 'issuer.x', 'invalid_data', '', '', '', 'portal-a/' || $2 || n, 0, ''
      from generate_series(1, $1::int) n
"""
_REPLAYED: Final = """
    insert into parked_fact (parked_id, consumer, code, reason, type, subject, correlation, replay, body,
                             state, act_id, acted_by, acted_at, acted_why)
    select gen_random_uuid(), 'issuer.x', 'invalid_data', '', '', '', 'portal-a/done' || n, 0, '',
           'replayed', gen_random_uuid(), 'operator', now(), 'mended' from generate_series(1, $1::int) n
"""
_ENTRIES: Final = """
    insert into journal_entry (fact_id, service, type, subject, correlation, announced_at, digest)
    select gen_random_uuid(), 'issuer', 't', 's' || n, 'portal-a/done' || n, now(), ''
      from generate_series(1, $1::int) n
"""
_REPLAY_ONE: Final = """
    update parked_fact set state = 'replayed', act_id = gen_random_uuid(), acted_by = 'operator', acted_at = now(),
                           acted_why = 'mended' where correlation = $1
"""
_COUNTED_ANEW: Final = """
    select status, coalesce(form, 'electronic') as form, count(*) as lines from ledger_line group by 1, 2
"""


@pytest.fixture
async def ledger_of_ops(emptied: Servers) -> AsyncIterator["Connection"]:
    """The tables of ops, empty, and empty again afterwards."""
    async with connected(emptied.owner_url) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("set local search_path to ops")
        yield connection
        await transaction.rollback()


@pytest.fixture
async def grown(ledger_of_ops: "Connection") -> "Connection":
    """After years: much is done, little waits, and a few facts lie on the desk."""
    await ledger_of_ops.execute(_LINES, DONE_LINES, "done", "active")
    await ledger_of_ops.execute(_LINES, WAITING_LINES, "wait", "in_transit")
    await ledger_of_ops.execute(_LINES, WAITING_LINES, "bad", "refused_by_platform")
    await ledger_of_ops.execute(_PARKED, 20, "wait")
    await ledger_of_ops.execute(_PARKED, 20, "done")
    await ledger_of_ops.execute(_REPLAYED, DONE_LINES // 6)
    await ledger_of_ops.execute(_ENTRIES, DONE_LINES)
    many = [Application(f"portal-a/done{number}", "○○建設", "工事", "三島市長", (), AT) for number in range(3_000)]
    await ledger.add_applications(ledger_of_ops, many)
    await ledger_of_ops.execute("analyze")
    return ledger_of_ops


@pytest.mark.parametrize("seed", range(5))
async def test_the_counts_are_true_in_whatever_order_facts_come_and_however_often(
    ledger_of_ops: "Connection", seed: int
) -> None:
    dice = Random(seed)
    for _ in range(ROUNDS):
        # One application and one line comes twice and late as easily as once and in time.
        numbers = sorted({dice.randrange(12) for _ in range(4)})
        if dice.random() < 0.4:
            forms = tuple((kind, dice.choice(("electronic", "paper"))) for kind in KINDS)
            await ledger.add_applications(ledger_of_ops, [_application(number, forms) for number in numbers])
        else:
            moves = [_move(number, dice) for number in numbers for _ in range(dice.randint(1, 2))]
            await ledger.move(ledger_of_ops, moves)
    await ledger_of_ops.execute("delete from ledger_line where correlation = 'portal-a/T-3'")
    await ledger_of_ops.execute("delete from ledger_application where correlation = 'portal-a/T-3'")

    assert await _kept(ledger_of_ops) == await _anew(ledger_of_ops)
    assert await ledger.applications(ledger_of_ops) == await ledger_of_ops.fetchval(
        "select count(*) from ledger_application"
    )


async def test_what_is_rolled_back_is_not_counted(ledger_of_ops: "Connection") -> None:
    transaction = ledger_of_ops.transaction()
    await transaction.start()
    await ledger.add_applications(ledger_of_ops, [_application(1, (("advance_payment", "electronic"),))])
    await transaction.rollback()

    assert await ledger.counted(ledger_of_ops) == []
    assert await ledger.applications(ledger_of_ops) == 0


async def test_only_unsettled_lines_count_as_parked_and_each_once(grown: "Connection") -> None:
    await grown.execute(_PARKED, 5, "wait")
    await grown.execute(_REPLAY_ONE, "portal-a/wait20")

    assert await ledger.parked(grown) == [Counted("in_transit", "electronic", 19)]


async def test_counting_reads_no_line_and_no_application(grown: "Connection") -> None:
    assert await _read(grown, ledger._COLUMNS) <= {"ledger_tally", "ledger_tally_pkey"}
    assert await _read(grown, ledger._APPLICATIONS) <= {"ledger_tally", "ledger_tally_pkey"}
    assert await _read(grown, ledger._PARKED) <= {"parked_fact_unmended", "ledger_line_pkey", "ledger_line_unsettled"}


async def test_what_is_late_or_refused_is_found_by_index(grown: "Connection") -> None:
    before = datetime.now(UTC) - timedelta(hours=1)

    assert await _read(grown, ledger._OVERDUE_LINES, ["in_transit"], before, 50) == {"ledger_line_unsettled"}
    assert await _read(grown, ledger._OVERDUE_MAILS, before, 50) <= {"ledger_mail_waiting", "ledger_mail"}
    assert await _read(grown, ledger._REFUSED, 20) == {"ledger_line_refused"}


async def test_whatever_people_look_up_is_found_by_index(grown: "Connection") -> None:
    """Words are looked up in `test_finding`; these are the ways by a name of the thing itself."""
    asked: dict[str, tuple[object, ...]] = {
        finding._BY_CORRELATION: (["portal-a/done7"], 50),
        finding._BY_ID: ("done7", 50),
        finding._OF_NUMBER: ("done7",),
        finding._OF_SUBJECT: ("s7",),
        finding._STEPS: ("portal-a/done7", 500),
        finding._LINES: ("portal-a/done7",),
        finding._ACTS: (None, 50),
        journal._LAST_ENTRY: (),
    }
    whole = {"ledger_application", "ledger_line", "journal_entry"}
    read_whole = [statement for statement, given in asked.items() if await _read(grown, statement, *given) & whole]

    assert read_whole == []


def _application(number: int, forms: tuple[tuple[str, str], ...]) -> Application:
    return Application(f"portal-a/T-{number}", "○○建設", "工事", "三島市長", forms, AT)


def _move(number: int, dice: Random) -> Move:
    at = AT + timedelta(minutes=dice.randrange(100))
    return Move(f"portal-a/T-{number}", dice.choice(KINDS), f"00000-{number:06}", dice.choice(STATUSES), at)


async def _kept(connection: "Connection") -> dict[tuple[str, str], int]:
    return {(one.status, one.form): one.lines for one in await ledger.counted(connection)}


async def _anew(connection: "Connection") -> dict[tuple[str, str], int]:
    return {(row["status"], row["form"]): row["lines"] for row in await connection.fetch(_COUNTED_ANEW)}


async def _read(connection: "Connection", statement: str, *given: object) -> set[str]:
    """The indexes by which a statement reads; a table read from end to end stands here with its own name."""
    await connection.execute("set local plan_cache_mode = force_custom_plan")
    told = json.loads(await connection.fetchval(f"explain (format json) {statement}", *given))
    return set(_read_by(told[0]["Plan"]))


def _read_by(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    if "Index Name" in plan:
        yield plan["Index Name"]
    for inner in plan.get("Plans", ()):
        yield from _read_by(inner)
