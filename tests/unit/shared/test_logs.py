"""Log lines are JSON with the facts as keys, and what must stay secret is struck out at the last moment."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import pytest
import structlog
from pydantic import BaseModel, SecretStr

from shared import clock, logs


class Kind(StrEnum):
    NEW = "new"


class Certificate(BaseModel):
    auth_key: str


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Logs go here during the test; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("intake", stream)
    yield stream
    root.handlers, root.level = handlers, level
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_line_holds_time_level_service_event_and_facts_in_this_order(written: io.StringIO) -> None:
    with clock.standing_at(datetime(2026, 1, 15, tzinfo=UTC)):
        logs.get_logger(queue="q").info("delivery.handled", facts=3)

    assert written.getvalue() == (
        '{"at":"2026-01-15T00:00:00.000+00:00","level":"info","service":"intake","event":"delivery.handled",'
        '"queue":"q","facts":3}\n'
    )


@pytest.mark.parametrize(
    "name",
    [
        "auth_key",
        "sealed_auth_key",
        "AUTH_KEY",
        "password",
        "smtp_password",
        "platform_token",
        "token_sha256",
        "Authorization",
    ],
)
def test_secret_fields_are_struck_out_at_any_depth(written: io.StringIO, name: str) -> None:
    fact = {name: "Z28YUE4J3Bux"}
    logs.get_logger().info("a.b_seen", outer=[{"inner": (fact,)}], **fact)

    (line,) = lines(written)
    assert line[name] == logs.REDACTED
    assert line["outer"][0]["inner"][0][name] == logs.REDACTED
    assert "Z28YUE4J3Bux" not in written.getvalue()


def test_flags_and_missing_values_under_a_secret_name_stay(written: io.StringIO) -> None:
    logs.get_logger().info("a.b_seen", auth_key=None, has_token=True)

    assert (lines(written)[0]["auth_key"], lines(written)[0]["has_token"]) == (None, True)


def test_passwords_in_urls_are_struck_out_in_facts_exceptions_and_library_lines(written: io.StringIO) -> None:
    url = "amqp://intake:hush@127.0.0.1:5672/hosho"
    try:
        raise ConnectionError(url)
    except ConnectionError:
        logs.get_logger().error("broker.lost", url=url, exc_info=True)
        logging.getLogger("aio_pika").exception("lost %s", url)

    assert "hush" not in written.getvalue()
    assert written.getvalue().count("amqp://intake:[redacted]@127.0.0.1:5672/hosho") == 4


def test_identifiers_and_times_are_text_and_other_objects_only_named(written: io.StringIO) -> None:
    logs.get_logger().info(
        "a.b_seen",
        identity=UUID(int=1),
        at_time=datetime(2026, 1, 15, tzinfo=UTC),
        path=PurePosixPath("a/b"),
        kind=Kind.NEW,
        certificate=Certificate(auth_key="Z28YUE4J3Bux"),
        hidden=SecretStr("hush"),
        body=b"Z28YUE4J3Bux",
        name="三島市",
    )

    (line,) = lines(written)
    assert line["identity"] == "00000000-0000-0000-0000-000000000001"
    assert (line["at_time"], line["path"], line["kind"]) == ("2026-01-15 00:00:00+00:00", "a/b", "new")
    assert (line["certificate"], line["hidden"], line["body"]) == ("<Certificate>", "<SecretStr>", "<bytes>")
    assert "三島市" in written.getvalue()


def test_what_is_nested_too_deep_ends_somewhere(written: io.StringIO) -> None:
    endless: list[object] = []
    endless.append(endless)
    logs.get_logger().info("a.b_seen", endless=endless)

    assert "[too deep]" in written.getvalue()


def test_debug_lines_are_not_written(written: io.StringIO) -> None:
    logs.get_logger().debug("a.b_seen")

    assert written.getvalue() == ""


def test_libraries_are_heard_from_warning_up_and_in_our_form(written: io.StringIO) -> None:
    logging.getLogger("aiormq.connection").info("chatter")
    logging.getLogger("uvicorn.access").warning("slow %s", "request")

    (line,) = lines(written)
    assert (line["event"], line["level"], line["logger"]) == ("library.logged", "warning", "uvicorn.access")
    assert line["text"] == "slow request"


def test_a_broken_connection_to_the_broker_calls_nobody_and_other_errors_do(written: io.StringIO) -> None:
    logging.getLogger("aiormq.connection").error("Unexpected connection close from remote")
    logging.getLogger("aio_pika").critical("Reconnecting")
    logging.getLogger("aio_pika_of_somebody_else").error("other")

    assert [line["level"] for line in lines(written)] == ["warning", "warning", "error"]


def test_what_a_library_says_of_something_cancelled_calls_nobody(written: io.StringIO) -> None:
    for error in (asyncio.CancelledError(), ValueError("a bug")):
        logging.getLogger("asyncio").error("Exception in callback", exc_info=error)

    assert [line["level"] for line in lines(written)] == ["warning", "error"]


def test_python_warnings_become_lines_too(written: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("an old way", DeprecationWarning, stacklevel=1)

    assert "an old way" in lines(written)[0]["text"]


def test_a_canonical_line_is_written_once_at_the_end_with_what_was_gathered(written: io.StringIO) -> None:
    standing = clock.standing_at(datetime(2026, 1, 15, tzinfo=UTC))
    with standing as hands, logs.canonical(logs.get_logger(), "delivery.handled", queue="q") as line:
        hands.advance(0.25)
        line["facts"] = 3

    (told,) = lines(written)
    assert (told["event"], told["queue"], told["facts"], told["duration_ms"]) == ("delivery.handled", "q", 3, 250.0)


def test_a_canonical_line_names_the_exception_and_lets_it_pass(written: io.StringIO) -> None:
    with pytest.raises(ZeroDivisionError), logs.canonical(logs.get_logger(), "delivery.handled"):
        raise ZeroDivisionError

    assert (lines(written)[0]["level"], lines(written)[0]["failed_with"]) == ("warning", "ZeroDivisionError")
