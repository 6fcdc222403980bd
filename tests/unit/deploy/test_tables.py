"""What the command line writes: times are Japan's and say so, and what goes into a pipe is whole."""

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from deploy import cli_ops, cli_status, exits, operators, tables
from deploy.cli import application

LONG = "あ" * 150 + " " + "b" * 150


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes into a pipe."""
    pipe = io.StringIO()
    monkeypatch.setattr(tables, "console", Console(file=pipe, highlight=False, force_terminal=False, width=80))
    return pipe


@pytest.mark.parametrize("told", ["2026-03-31T18:00:00Z", "2026-04-01T03:00:00+09:00", "2026-03-31T18:00:00.25+00:00"])
def test_a_time_is_japans_and_names_its_zone(told: str) -> None:
    assert tables.moment(told) == "04-01 03:00:00 JST"
    assert tables.cell(told) == "04-01 03:00:00 JST"


@pytest.mark.parametrize("told", ["2026-04-01T99:00:00Z", "00000-000001", "2026-04-01T10:00:00", "2026-04-01T10:00 ○○"])
def test_what_is_no_moment_stays_as_it_is(told: str) -> None:
    assert tables.moment(told) == told


def test_what_goes_into_a_pipe_is_whole_and_a_row_to_a_line(written: io.StringIO) -> None:
    tables.show("facts", ("id", "reason", "more"), [("1", LONG, "x\ny"), ("2", LONG, "[bold]z")])
    lines = [line for line in written.getvalue().splitlines() if LONG in line]

    assert len(lines) == 2
    assert "x y" in lines[0]
    assert "[bold]z" in lines[1]


def test_a_sentence_in_a_pipe_is_not_broken_and_not_taken_for_markup(written: io.StringIO) -> None:
    tables.say(LONG + " [red]")

    assert written.getvalue() == LONG + " [red]\n"


def test_on_a_screen_a_table_keeps_to_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(tables, "console", Console(file=screen, force_terminal=True, width=60, color_system=None))
    tables.show("facts", ("id", "reason"), [("1", LONG)])

    assert max(map(len, screen.getvalue().splitlines())) <= 60


def test_json_keeps_the_offset_of_its_times(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_json({"at": "2026-03-31T18:00:00+00:00"})

    assert json.loads(capsys.readouterr().out) == {"at": "2026-03-31T18:00:00+00:00"}


def test_what_is_wrong_stands_first_with_what_to_press(written: io.StringIO) -> None:
    one = {
        "level": "soon", "what": "Facts are parked", "about": "issuer.x a_code", "count": 3, "why": "no", "ids": [],
        "since": "2026-03-31T18:00:00+00:00", "press": "Mend the reason, then replay.", "kind": "FactsParked",
    }  # fmt: skip
    cli_status.show_wrong({"level": "soon", "database_is_away": False, "troubles": [one]})

    assert written.getvalue().splitlines() == [
        "0 to act on now, 1 to look at by the morning",
        "",
        "BY THE MORNING: Facts are parked: issuer.x a_code",
        "    since 04-01 03:00:00 JST, count 3, no",
        "    press: Mend the reason, then replay. (runbook: FactsParked)",
        "",
    ]


@pytest.mark.parametrize(
    ("said", "status", "sentence"),
    [
        ("even", 0, "it comes out even"),
        ("uneven", exits.FOUND, "it does NOT come out even"),
        ("unknown", exits.NOT_RUN, "UNKNOWN whether it comes out even; could not be asked: issuer"),
    ],
)
def test_a_ledger_ends_as_what_may_be_said_of_it(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch, said: str, status: int, sentence: str
) -> None:
    told: dict[str, Any] = {
        "verdict": said,
        "applications": 1,
        "requested": 1,
        "columns": {"issued": 1},
        "differences": [],
    }
    told["unasked"] = ["issuer"] if said == "unknown" else []
    monkeypatch.setattr(cli_ops, "asked", lambda _: told)
    ended = CliRunner().invoke(application, ["ops", "ledger"])

    assert ended.exit_code == status
    assert sentence in written.getvalue().splitlines()


@pytest.mark.parametrize(("level", "status"), [("now", exits.FOUND), ("soon", exits.FOUND), (None, 0)])
def test_status_ends_with_an_alarm_where_a_person_must_look(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch, level: str | None, status: int
) -> None:
    wrong: dict[str, Any] = {"level": level, "database_is_away": False, "troubles": []}
    flow = {"services": {"notifier": None}, "queues": None}
    monkeypatch.setattr(cli_ops, "asked", lambda _: {"wrong": wrong, "flow": flow, "alarms": [], "parked": []})

    assert CliRunner().invoke(application, ["ops", "status"]).exit_code == status
    assert "notifier" in written.getvalue()


@pytest.mark.parametrize("words", [["--help"], ["ops", "--help"]])
def test_the_help_tells_how_it_ends(words: list[str]) -> None:
    told = " ".join(CliRunner().invoke(application, words, env={"COLUMNS": "200"}).output.replace("│", " ").split())

    for status in ("Ends with 0", "with 1 when it ran and something is wrong", "with 2 when nothing can be said"):
        assert status in told


def test_the_help_tells_who_may_look_and_who_may_act() -> None:
    shown = CliRunner().invoke(application, ["ops", "--help"], env={"COLUMNS": "200"}).output
    told = " ".join(shown.replace("│", " ").split())
    viewer, operator = re.findall(r"scope (?:viewer|operator) may [^(]*\(([^)]*)\)", told)
    commands = {command.name or command.callback.__name__ for command in cli_ops.application.registered_commands}  # type: ignore[union-attr]

    for name in commands - {"token"}:
        assert (name in viewer.split(", ")) != (name in operator.split(", ")), name


@pytest.mark.parametrize(("name", "told"), [("viewer", "it may look)"), ("operator", "look and act"), ("x", "no row")])
def test_a_token_is_given_with_what_its_row_may_do(name: str, told: str) -> None:
    ended = CliRunner().invoke(application, ["ops", "token", name])

    assert ended.exit_code == 0
    assert told in ended.output
    assert operators.scopes()["viewer"] == "viewer"
