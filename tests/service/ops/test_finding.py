"""Looking applications up by words stays cheap whatever the words: what many fit is never read whole."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from deploy.database import connected
from services.ops.domain.ledger import Application
from services.ops.domain.search import folded, wanted
from services.ops.store import finding, ledger
from tests.conftest import Servers

if TYPE_CHECKING:
    from shared.postgres import Connection

APPLICATIONS: Final = 8_000
LIMIT: Final = 20
RARE: Final = 7
OLDER: Final = 1_000
"""The first so many were of a kind of works that is seldom applied for today."""


def _application(number: int) -> Application:
    works = "護岸" if number < OLDER or number % 500 == 0 else "舗装"
    return Application(
        correlation=f"portal-a/F-{number}",
        contractor="○○建設" if number != RARE else "△△造園",
        project=f"{works}工事",
        obligee="三島市長",
        lines=(),
        accepted_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
    )


@pytest.fixture(scope="module")
async def grown(stack: Servers) -> AsyncIterator["Connection"]:
    """Many applications of few contractors, forgotten afterwards."""
    async with connected(stack.owner_url) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("set local search_path to ops")
        await ledger.add_applications(connection, [_application(number) for number in range(APPLICATIONS)])
        await connection.execute("analyze ledger_application")
        yield connection
        await transaction.rollback()


async def test_what_all_fit_gives_the_latest_and_reads_little(grown: "Connection") -> None:
    found = await finding.by_words(grown, "○○建設", LIMIT)

    assert [one.correlation for one in found] == [f"portal-a/F-{APPLICATIONS - 1 - back}" for back in range(LIMIT)]
    assert await _rows_read(grown, "○○建設") < 10 * LIMIT


async def test_what_one_fits_is_found_however_old_it_is(grown: "Connection") -> None:
    found = await finding.by_words(grown, "△△造園", LIMIT)

    assert [one.correlation for one in found] == [f"portal-a/F-{RARE}"]
    assert await _rows_read(grown, "△△造園") <= finding.LATEST_MAX + 10


async def test_what_few_fit_of_late_and_many_before_comes_once_each_and_the_latest_first(grown: "Connection") -> None:
    found = await finding.by_words(grown, "護岸", LIMIT)
    expected = [number for number in reversed(range(APPLICATIONS)) if number < OLDER or number % 500 == 0][:LIMIT]

    assert [one.correlation for one in found] == [f"portal-a/F-{number}" for number in expected]


async def test_what_many_fitted_once_is_read_up_to_a_bound(
    grown: "Connection", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CANDIDATES_MAX", 100)
    nodes = await _nodes_of_words(grown, "護岸")

    assert [node["Actual Rows"] for node in nodes if node.get("CTE Name") == "candidates"] == [100]
    assert len(await finding.by_words(grown, "護岸", LIMIT)) == LIMIT


async def test_a_name_finds_by_index_alone(grown: "Connection") -> None:
    (found,) = await finding.by_name(grown, "F-7777", LIMIT)
    whole = await _explained(grown, finding._BY_NAME, "F-7777", LIMIT)

    assert found.correlation == "portal-a/F-7777"
    assert "Seq Scan" not in {node["Node Type"] for node in _nodes(whole) if node.get("Relation Name") != "ledger_line"}


async def _rows_read(connection: "Connection", words: str) -> int:
    """How many rows of applications the database took in its hand."""
    return sum(
        int(node["Actual Rows"]) + int(node.get("Rows Removed by Filter", 0))
        for node in await _nodes_of_words(connection, words)
        if node.get("Relation Name") == "ledger_application"
    )


async def _nodes_of_words(connection: "Connection", words: str) -> list[dict[str, Any]]:
    text = folded(words)
    given = (wanted(text), text, LIMIT, finding.LATEST_MAX, finding.CANDIDATES_MAX)
    return _nodes(await _explained(connection, finding._BY_WORDS, *given))


async def _explained(connection: "Connection", statement: str, *given: object) -> Any:
    (row,) = await connection.fetch(f"explain (analyze, format json) {statement}", *given)
    return json.loads(row[0])[0]["Plan"]


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", []) for node in _nodes(inner))]
