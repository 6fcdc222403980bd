"""Caught mails are read on pages: by anybody, without a mail ever doing anything to them."""

import smtplib
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

from tests.unit.simulators.running import Running, running
from tests.unit.simulators.test_mailbox import kept, letter, send


class Page(HTMLParser):
    """A page as a browser takes it: its words, elements, links and labels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(mailbox: Running, path: str) -> Page:
    return Page(mailbox.call("GET", path).body.decode())


EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>{{ 7*7 }}"


def test_a_caught_mail_is_read_on_pages_as_text_as_html_and_as_it_came(mailbox: Running) -> None:
    send(mailbox, "pages@kensetsu.example", "pages")
    (mail,) = kept(mailbox, "pages")
    listed, shown = page(mailbox, "/?to=pages@kensetsu.example"), page(mailbox, f"/messages/{mail['id']}/page")
    (frame,) = shown.all("iframe")
    body = mailbox.call("GET", str(frame["src"]))

    assert {"href": f"/messages/{mail['id']}/page"} in listed.all("a")
    assert "電子保証（認証キー）発行完了のお知らせ" in listed.words
    assert "no-reply@hosho.example" in shown.words
    assert ".. 点で始まる行" in shown.words
    assert "Content-Type: multipart/alternative" in shown.words
    assert (frame["sandbox"], frame["title"]) == (None, "HTMLの本文")
    assert body.body.decode().strip() == "<p>保証契約番号 <b>00000-000001</b></p>"
    assert "sandbox" in body.headers["Content-Security-Policy"]
    assert "allow-" not in body.headers["Content-Security-Policy"]


def test_nothing_a_mail_says_becomes_part_of_a_page(mailbox: Running) -> None:
    mail = EmailMessage()
    mail["To"], mail["Message-ID"] = "evil@kensetsu.example", "<evil@hosho.example>"
    mail["Subject"], mail["From"] = EVIL, f'"{EVIL.replace(chr(34), "")}" <a@hosho.example>'
    mail.set_content(EVIL + " https://portal.example/?a=1&b=<b>")
    mail.add_alternative(f"<p>{EVIL}</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", mailbox.facts["smtp_port"], timeout=5) as client:
        client.send_message(mail)
    (found,) = kept(mailbox, "evil")
    for path in ("/?to=evil@kensetsu.example", f"/messages/{found['id']}/page"):
        answer = mailbox.call("GET", path)
        shown = Page(answer.body.decode())

        assert EVIL in shown.words
        assert not {"script", "img"} & {name for name, _ in shown.elements}
        assert not any(name.startswith("on") for _, given in shown.elements for name in given)
        assert "script-src" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_what_is_searched_for_stays_text(mailbox: Running) -> None:
    shown = page(mailbox, "/?to=" + quote(EVIL))

    assert [one["value"] for one in shown.all("input")] == [EVIL]
    assert "該当するメールはありません" in shown.words


def test_pages_speak_japanese_label_their_fields_and_ask_no_other_host(mailbox: Running) -> None:
    send(mailbox, "labels@kensetsu.example", "labels")
    (mail,) = kept(mailbox, "labels")
    for path in ("/", f"/messages/{mail['id']}/page", "/messages/999999/page"):
        shown = page(mailbox, path)
        addresses = [
            given[name] or "" for _, given in shown.elements for name in ("href", "src", "action") if name in given
        ]
        labelled = {one["for"] for one in shown.all("label")}

        assert shown.all("html") == [{"lang": "ja"}]
        assert shown.all("a")[0]["href"] == "#main"
        assert len(shown.all("h1")) == len(shown.all("main")) == 1
        assert {one["id"] for one in shown.all("input")} == labelled
        assert all(address.startswith(("/", "#")) for address in addresses)
    assert mailbox.call("GET", "/look.css").headers["Content-Type"].startswith("text/css")
    assert mailbox.call("GET", "/messages/999999/page").status == 404


def test_the_list_begins_with_the_newest_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    store_file = {"MAILBOX_SMTP_PORT": "0", "MAILBOX_HTTP_PORT": "0", "MAILBOX_STORAGE": str(tmp_path / "m.sqlite")}
    with running("mailbox", store_file) as program:
        with smtplib.SMTP("127.0.0.1", program.facts["smtp_port"], timeout=30) as client:
            for number in range(101):
                client.send_message(letter("many@kensetsu.example", f"many-{number}"))
        first = page(program, "/")
        (older,) = [one["href"] for one in first.all("a") if one.get("rel") == "next"]
        second = page(program, str(older))
        (newer,) = [one["href"] for one in second.all("a") if one.get("rel") == "prev"]
        back = page(program, str(newer))
        beyond = page(program, "/?before=1")

    assert _numbers(first) == list(range(101, 1, -1))
    assert "101通を受信しています。新しい順に1通目から100通目まで" in first.words
    assert not [one for one in first.all("a") if one.get("rel") == "prev"]
    assert _numbers(second) == [1]
    assert "新しい順に101通目から101通目まで" in second.words
    assert not [one for one in second.all("a") if one.get("rel") == "next"]
    assert _numbers(back) == _numbers(first)
    assert "これより古いメールはありません" in beyond.words


def test_a_filtered_list_counts_and_pages_only_what_it_lets_through(tmp_path: Path) -> None:
    store_file = {"MAILBOX_SMTP_PORT": "0", "MAILBOX_HTTP_PORT": "0", "MAILBOX_STORAGE": str(tmp_path / "m.sqlite")}
    with running("mailbox", store_file) as program:
        with smtplib.SMTP("127.0.0.1", program.facts["smtp_port"], timeout=30) as client:
            for number in range(201):
                client.send_message(letter("many@kensetsu.example", f"many-{number}"))
                if number % 60 == 0:
                    client.send_message(letter("few@kensetsu.example", f"few-{number}"))
        few = page(program, "/?to=few@kensetsu.example")
        sheets = [page(program, "/?to=many@kensetsu.example")]
        while older := [one["href"] for one in sheets[-1].all("a") if one.get("rel") == "next"]:
            sheets.append(page(program, str(older[0])))
        (newer,) = [one["href"] for one in sheets[-1].all("a") if one.get("rel") == "prev"]
        middle = page(program, str(newer))
        told = program.call("GET", "/messages?to=few@kensetsu.example&limit=3").json()
        rest = program.call("GET", f"/messages?to=few@kensetsu.example&limit=1&after={told['next_after']}").json()

    assert "宛先が「few@kensetsu.example」のメールは4通です。" in few.words
    assert not [one for one in few.all("a") if one.get("rel") in ("next", "prev")]
    assert [len(_numbers(one)) for one in sheets] == [100, 100, 1]
    assert "のメールは201通です。新しい順に101通目から200通目まで" in sheets[1].words
    assert _numbers(middle) == _numbers(sheets[1])
    assert (told["total"], len(told["messages"])) == (4, 3)
    assert (rest["total"], len(rest["messages"]), rest["next_after"]) == (4, 1, None)


def test_the_list_tells_which_guarantee_a_mail_is_about_where_the_mail_does(mailbox: Running) -> None:
    for name, text in (("about", "保証契約番号：00000-000042\n00000-000042"), ("none", "電話 055-123-456789")):
        mail = EmailMessage()
        mail["To"], mail["Message-ID"] = f"{name}@kensetsu.example", f"<{name}@hosho.example>"
        mail["Subject"], mail["From"] = "お知らせ", "a@hosho.example"
        mail.set_content(text)
        with smtplib.SMTP("127.0.0.1", mailbox.facts["smtp_port"], timeout=5) as client:
            client.send_message(mail)
    about, none = page(mailbox, "/?to=about@kensetsu.example"), page(mailbox, "/?to=none@kensetsu.example")

    assert about.words.count("00000-000042") == 1
    assert "about@kensetsu.example" in about.words
    assert "お知らせ" in about.words
    assert "―" in none.words


def _numbers(shown: Page) -> list[int]:
    links = [str(one["href"]).split("/") for one in shown.all("a")]
    return [int(parts[2]) for parts in links if parts[1:2] == ["messages"]]
