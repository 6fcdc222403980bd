"""The portal's pages when the system says no, or nothing: in a contractor's words, with all that was typed kept."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.unit.simulators.running import Reply, Running, running

COOKIE = {"Cookie": "portal_visitor=C-0045678|%E7%B5%8C%E7%90%86"}
TYPED = '橋の工事 <script>alert("1")</script>'
NOWHERE = "http://127.0.0.1:1"


class System:
    """Stands for intake and issuer: answers every POST and list in one way, until told another."""

    def __init__(self) -> None:
        self.status = 200
        self.body: dict[str, object] = {}
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []

    def says(self, status: int, body: dict[str, object] | None = None, **headers: str) -> None:
        """What it answers from now on."""
        self.status, self.body = status, body or {}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def served(system: System) -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            system.asked.append(self.path)
            body = json.dumps(system.body).encode()
            self.send_response(system.status)
            for name, value in system.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def portal(url: str, storage: Path) -> Iterator[Running]:
    environment = {
        "PORTAL_SIM_ID": "portal-a",
        "PORTAL_SIM_BROKER_URL": "amqp://nobody:nothing@127.0.0.1:1/",
        "PORTAL_SIM_INTAKE_URL": url,
        "PORTAL_SIM_ISSUER_URL": url,
        "PORTAL_SIM_TOKEN": "token-of-the-portal",
        "PORTAL_SIM_HTTP_PORT": "0",
        "PORTAL_SIM_STORAGE": str(storage),
    }
    with running("portal", environment) as program:
        yield program


@pytest.fixture(scope="module")
def system() -> System:
    return System()


@pytest.fixture(scope="module")
def pages(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(system) as url, portal(url, tmp_path_factory.mktemp("portal") / "portal.sqlite") as program:
        yield program


def post(pages: Running, path: str, headers: dict[str, str] | None = None, **others: str) -> Reply:
    fields = {"application_id": "P-1", "contract.project_name": TYPED, "advance_payment.apply": "on", **others}
    given = {"Content-Type": "application/x-www-form-urlencoded", **COOKIE, **(headers or {})}
    return pages.call("POST", path, urlencode(fields).encode(), given)


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (401, {}, {}, "ポータルの認証に失敗しました"),
        (409, {"errors": [{"code": "application_id_taken"}]}, {}, "先に送信した申込が有効です"),
        (413, {}, {}, "入力した内容が多すぎます"),
        (429, {}, {"Retry_After": "7"}, "7秒ほどおいて"),
        (503, {}, {}, "ただいま保証システムに接続できません"),
    ],
)
def test_a_refusal_is_told_in_words_and_what_was_typed_is_kept(
    system: System, pages: Running, status: int, body: dict[str, object], headers: dict[str, str], words: str
) -> None:
    system.says(status, body, **headers)

    answer = post(pages, "/apply/send")

    text = answer.body.decode()
    assert answer.status == status
    assert words in text
    assert "入力した内容はこの画面に残っています" in text
    assert "橋の工事 &lt;script&gt;" in text
    assert "<script>alert" not in text
    assert "token-of-the-portal" not in text


def test_an_absent_system_is_told_and_what_was_typed_is_kept(tmp_path: Path) -> None:
    with portal(NOWHERE, tmp_path / "portal.sqlite") as pages:
        sent = post(pages, "/apply/send")
        confirmed = post(pages, "/apply", action="confirm")
        listed = pages.call("GET", "/contracts/electronic", headers=COOKIE)

    assert (sent.status, confirmed.status, listed.status) == (503, 503, 503)
    assert all("ただいま保証システムに接続できません" in one.body.decode() for one in (sent, confirmed, listed))
    assert all("橋の工事 &lt;script&gt;" in one.body.decode() for one in (sent, confirmed))


def test_a_success_is_told_on_a_page_of_its_own(system: System, pages: Running) -> None:
    """What may be loaded again sends nothing again."""
    system.says(202, {"application_id": "P-1"})
    answer = post(pages, "/apply/send")
    asked = len(system.asked)
    page = pages.call("GET", answer.headers["Location"], headers=COOKIE)

    assert (answer.status, answer.headers["Location"], page.status) == (303, "/sent/P-1", 200)
    assert "送信完了" in page.body.decode()
    assert len(system.asked) == asked


def test_the_form_of_another_site_is_not_taken(system: System, pages: Running) -> None:
    system.says(202, {"application_id": "P-1"})
    before = len(system.asked)

    assert post(pages, "/apply/send", {"Sec-Fetch-Site": "cross-site"}).status == 403
    assert len(system.asked) == before


@pytest.mark.parametrize("path", ["/", "/apply", "/contracts/electronic/00000-000001", "/sent/P-1", "/events"])
def test_who_has_not_logged_in_is_sent_to_the_login(pages: Running, path: str) -> None:
    answer = pages.call("GET", path)

    assert answer.status == 303
    assert answer.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize(
    "wished", ["//else.example/", "https://else.example/", "/\\else.example", "apply", "/a\r\nX: 1"]
)
def test_the_login_leads_to_this_site_only(pages: Running, wished: str) -> None:
    fields = urlencode({"customer_number": "C-0045678", "person": "経理", "next": wished}).encode()
    answer = pages.call("POST", "/login", fields, {"Content-Type": "application/x-www-form-urlencoded"})

    assert (answer.status, answer.headers["Location"]) == (303, "/")


def test_a_page_may_run_the_portals_own_script_and_nothing_else(pages: Running) -> None:
    policy = pages.call("GET", "/login").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_history_goes_on_where_a_page_of_it_ends(system: System, pages: Running) -> None:
    system.says(200, {"items": [], "next_cursor": "00000-000021"})
    first = pages.call("GET", "/history", headers=COOKIE).body.decode()
    system.says(200, {"items": [], "next_cursor": None})
    rest = pages.call("GET", "/history?cursor=00000-000021", headers=COOKIE).body.decode()

    assert '"/history?cursor=00000-000021"' in first
    assert "cursor=00000-000021" in system.asked[-1]
    assert "cursor=" not in rest
    assert "この範囲に発行済みの電子保証はありません。" in rest


DETAIL: dict[str, object] = {
    "items": [{}],
    "application_id": "P-1",
    "guarantee_number": "00000-000001",
    "kind": "advance_payment",
    "certificate_form": "electronic",
    "contractor_name": "○○建設",
    "jv_name": None,
    "project_name": "橋の工事",
    "obligee_name": "三島市長",
    "price": 50_000_000,
    "amount": 20_000_000,
    "product_name": "前払金保証",
    "depository": "○○銀行　××支店",
    "guarantee_until": "2026-12-25",
    "remarks": [
        {"code": "depository_normalised", "message_ja": "全角に直しました。"},
        {"code": "sibling_below_minimum", "message_ja": "契約保証金額が下限を下回ります。"},
    ],
    "problems": [],
    "message_from_guarantor": None,
    "completion_mail": {"state": "none"},
}
TRANSIT: dict[str, object] = {"status": "in_transit", "status_ja": "発行手続中", "version": None, "history": []}
NEW = {"no": 1, "version": 1, "version_kind": "new", "version_kind_ja": "新規", "issued_at": "2026-01-21T01:00:00Z"}
ARRIVED: dict[str, object] = {"status": "active", "status_ja": "発行済", "version": 1, "history": [NEW]}
WHY_NO_MOMENT = "電子保証発行日時は、電子証書がプラットフォームに到着したときに定まります。"


def test_how_the_depository_was_written_is_remarked_until_the_certificate_has_arrived(
    system: System, pages: Running
) -> None:
    """What still asks for something to be done stays."""
    path = "/contracts/electronic/00000-000001"
    system.says(200, DETAIL | TRANSIT)
    waiting = pages.call("GET", path, headers=COOKIE).body.decode()
    system.says(200, DETAIL | ARRIVED)
    arrived = pages.call("GET", path, headers=COOKIE).body.decode()

    assert ("全角に直しました。" in waiting, "全角に直しました。" in arrived) == (True, False)
    assert all("契約保証金額が下限を下回ります。" in text for text in (waiting, arrived))


def test_a_page_without_the_moment_of_issue_says_when_there_will_be_one(system: System, pages: Running) -> None:
    path, told = "/contracts/electronic/00000-000001", []
    declined = TRANSIT | {"status": "declined", "status_ja": "お引受できません"}
    for state in (TRANSIT, ARRIVED, declined, TRANSIT | {"certificate_form": "paper"}):
        system.says(200, DETAIL | state)
        told.append(WHY_NO_MOMENT in pages.call("GET", path, headers=COOKIE).body.decode())

    assert told == [True, False, False, False]
