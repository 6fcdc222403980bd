"""Errors of the database: which of them heal by time, and what may be told of them."""

import asyncpg
import pytest

from shared import postgres


@pytest.mark.parametrize(
    ("error", "heals"),
    [
        (asyncpg.DeadlockDetectedError(), True),
        (asyncpg.ReadOnlySQLTransactionError(), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (asyncpg.InterfaceError("the server expects 2 arguments for this query, 1 was passed"), False),
        (asyncpg.DataError("invalid input for query argument $1: the connection was closed"), False),
        (asyncpg.UniqueViolationError(), False),
        (asyncpg.UntranslatableCharacterError(), False),
        (ValueError("closed"), False),
    ],
)
def test_only_what_time_heals_is_tried_again(error: Exception, heals: bool) -> None:
    """A wrong call never becomes right by waiting, a lost connection does."""
    assert postgres.is_transient(error) is heals


def test_what_is_told_of_a_database_error_names_the_rule_and_quotes_no_row() -> None:
    """PostgreSQL's details quote whole rows, which hold addresses and sealed keys."""
    error = asyncpg.CheckViolationError("new row violates check constraint")
    error.detail = "Failing row contains (keiri@kensetsu.example, v1.k1.c2VhbGVk)."
    error.constraint_name, error.table_name = "a_fact_ends_done_or_parked", "inbox"

    assert postgres.told(error) == "CheckViolationError 23514 inbox a_fact_ends_done_or_parked"


def test_what_is_told_of_a_wrong_argument_leaves_the_argument_out() -> None:
    """asyncpg quotes the argument it could not encode."""
    error = asyncpg.InterfaceError("invalid input for query argument $1: 'keiri@kensetsu.example'")

    assert postgres.told(error) == "InterfaceError"
