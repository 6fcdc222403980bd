"""The program over HTTP on the page, in bad weather: against a server that answers by a script."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.contract.page import OVER_AMQP, OVER_HTTP, program

APPLICATION = {"application_id": "A/1?", "guarantees": [{"kind": "advance_payment"}, {"kind": "contract_performance"}]}
CHANGE = {"change_id": "C/1", "guarantee_number": "00000-000001"}
TAKEN = (202, {"application_id": "A/1?"})
NOT_THERE = (404, {"code": "not_found"})
BUSY = (429, {"code": "too_many_requests"})
AWAY = (503, {"code": "unavailable"})
CUT: tuple[int, Any] = (0, {})
"""The connection ends without an answer."""


@dataclass
class Scripted:
    """A door that gives each address its answers in order, the last one for ever, and notes what it was sent."""

    answers: dict[str, list[tuple[int, Any]]]
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    retry_after: str | None = "0"

    def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        self.heard.append((path, body))
        answers = self.answers[path]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def served(door: Scripted) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, told = door.answer(self.path, body)
            if not status:
                return
            self.send_response(status)
            if status in (BUSY[0], AWAY[0]) and door.retry_after is not None:
                self.send_header("Retry-After", door.retry_after)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        do_GET = do_POST = answer  # noqa: N815 - so the library calls them.

        def log_message(self, _: str, *args: Any) -> None:
            """Nothing: what was sent is noted by the door."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def lines(*statuses: str) -> tuple[int, Any]:
    told = [
        {"guarantee_number": f"00000-00000{place}", "status": status, "status_ja": "文言", "issued_at": "today"}
        for place, status in enumerate(statuses, 1)
    ]
    return 200, {"items": told}


def apply(door: Scripted, **changed: Any) -> None:
    page = program(OVER_HTTP, **{"PAUSE_S": 0, **changed})
    with served(door) as url:
        page.apply_and_read_keys(url, url, "token", APPLICATION, "経理 太郎")


LIST = "/v1/guarantees?application_id=A%2F1%3F"
KEY = "/v1/guarantees/00000-000001/auth-key"


@pytest.mark.parametrize("end", ["held", "refused_by_platform", "declined", "terminated", "expired", "something_new"])
def test_it_ends_where_nothing_moves_by_itself_any_more(end: str, capsys: pytest.CaptureFixture[str]) -> None:
    moving = [lines("requested"), lines("in_transit", "requested"), lines("in_transit", "paper_ordered")]
    door = Scripted({"/v1/applications": [TAKEN], LIST: [lines(), *moving, lines(end, "paper_ordered")]})
    apply(door)

    assert capsys.readouterr().out.splitlines() == [f"00000-000001 {end} 文言", "00000-000002 paper_ordered 文言"]
    assert len(door.heard) == 6


def test_what_time_heals_is_sent_again_with_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    done = lines("active", "paper_ordered")
    door = Scripted(
        {
            "/v1/applications": [BUSY, AWAY, CUT, (500, {"code": "internal_error"}), TAKEN],
            LIST: [AWAY, CUT, done],
            KEY: [BUSY, (200, {"auth_key": "the key"})],
        }
    )
    apply(door)
    sent = [body for path, body in door.heard if path == "/v1/applications"]

    assert (len(sent), len(set(sent)), json.loads(sent[0])) == (5, 1, APPLICATION)
    assert capsys.readouterr().out.splitlines()[0] == "00000-000001 today the key"


def test_it_waits_as_long_as_it_is_told_and_no_longer_than_it_has_patience() -> None:
    naps: list[float] = []

    class Clock:
        now_s = 0.0

        def monotonic(self) -> float:
            return self.now_s

        def sleep(self, pause_s: float) -> None:
            naps.append(pause_s)
            self.now_s += pause_s

    door = Scripted({"/v1/applications": [AWAY]}, retry_after="7")
    with pytest.raises(SystemExit, match="503 unavailable"):
        apply(door, time=Clock(), PATIENCE_S=30)

    assert naps == [7, 7, 7, 7]


def test_a_refusal_ends_it_with_every_reason(capsys: pytest.CaptureFixture[str]) -> None:
    errors = [{"pointer": f"/{name}", "code": "blank", "message_ja": "空です。"} for name in ("a", "b")]
    with pytest.raises(SystemExit, match="422 invalid"):
        apply(Scripted({"/v1/applications": [(422, {"code": "invalid", "errors": errors})]}))

    assert capsys.readouterr().out.splitlines() == ["/a blank 空です。", "/b blank 空です。"]


@pytest.mark.parametrize(
    ("decided", "shown", "told"),
    [
        (2, [(1, "in_transit"), (2, "active")], "C/1 2 active 文言"),
        (2, [(1, "in_transit"), (1, "refused_by_platform")], "C/1 1 refused_by_platform 文言"),
        (2, [(1, "held")], "C/1 1 held 文言"),
        (2, [(2, "paper_ordered")], "C/1 2 paper_ordered 文言"),
        (None, [], "C/1 [{'code': 'stale_version'}]"),
    ],
)
def test_a_change_is_followed_to_its_end(
    decided: int | None, shown: list[tuple[int, str]], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [] if decided else [{"code": "stale_version"}]
    answer = (200, {"version": decided, "problems": problems, "guarantee_number": "00000-000001"})
    guarantee = [(200, {"version": no, "status": status, "status_ja": "文言"}) for no, status in shown]
    answers: dict[str, list[tuple[int, Any]]] = {
        "/v1/changes": [TAKEN],
        "/v1/changes/C%2F1": [NOT_THERE, AWAY, NOT_THERE, answer],
        "/v1/guarantees/00000-000001": guarantee,
    }
    door = Scripted(answers)
    with served(door) as url:
        program(OVER_HTTP, PAUSE_S=0).change_and_follow(url, url, "token", CHANGE)

    assert capsys.readouterr().out.splitlines() == [told]


def test_user_and_password_stand_in_the_address_of_the_broker() -> None:
    url = program(OVER_AMQP).broker_url("amqps://broker.example:5671/hosho", "portal-a", "p@ss/w:rd")

    assert url == "amqps://portal-a:p%40ss%2Fw%3Ard@broker.example:5671/hosho"
