"""What the completion mail says, and which addresses it can go to."""

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from pydantic_core import to_json

from services.notifier.domain.letter import (
    FIELD_CHARACTERS_MAX,
    Letter,
    addr_spec,
    html_of,
    is_mailable,
    issued_at_shown,
    message_id_of,
    one_line,
    text_of,
)
from tests.unit.notifier.letters import letter


class Reader(HTMLParser):
    """Reads the page as a mail program would: its words, its tags and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words = ""
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize(
    "said",
    [
        "髙橋建設 株式会社 様",
        "00000-000001",
        "前払金保証",
        "新規",
        "市道○○線道路改良工事",
        "三島市長",
        "2026/01/15 09:30",
        "https://portal-a.example/",
        "認証キーはこのメールには記載しておりません",
    ],
)
def test_text_and_html_say_the_same(said: str) -> None:
    assert said in text_of(letter())
    assert said in Reader(html_of(letter())).words


def test_the_page_asks_nobody_for_anything() -> None:
    page = Reader(html_of(letter()))

    assert page.links == ["https://portal-a.example/"]
    assert page.tags <= {
        *("html", "head", "meta", "title", "body", "div", "h1", "p", "br", "table", "tr", "th", "td", "a")
    }


def test_a_project_name_cannot_become_part_of_the_page() -> None:
    name = '<script>alert("1")</script><img src="https://evil.example/x.png">&amp;'
    page = Reader(html_of(letter(project_name=name, contractor_name=name, obligee_name=name)))

    assert {"script", "img"} & page.tags == set()
    assert page.links == ["https://portal-a.example/"]
    assert page.words.count(name) == 3


def test_braces_in_a_name_are_only_braces() -> None:
    assert "{link}{0}%s" in text_of(letter(project_name="{link}{0}%s"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("市道○○線\n道路改良工事", "市道○○線 道路改良工事"),
        ("a\r\n\r\nBcc: x@evil.example", "a Bcc: x@evil.example"),
        ("a\u2028b\u2029c\x85d\x00e\tf", "a b c d e f"),
        ("工事\u202egnp.exe\u2066x\u2069", "工事gnp.exex"),
        ("ゼロ\u200b幅\ufeff", "ゼロ幅"),
        ("半\ud842分", "半分"),
        ("髙橋建設　㈱ 𠮷野 葛\U000e0100飾 \ue000", "髙橋建設　㈱ 𠮷野 葛\U000e0100飾 \ue000"),
        ("　 前後 　", "前後"),
        ("長" * 501, "長" * (FIELD_CHARACTERS_MAX - 1) + "…"),
        ("長" * 500, "長" * FIELD_CHARACTERS_MAX),
    ],
)
def test_a_foreign_text_becomes_one_honest_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


@pytest.mark.parametrize(
    ("issued_at", "shown"),
    [
        ("2026-01-15T09:30:59.999999+09:00", "2026/01/15 09:30"),
        ("2026-01-14T15:00:00Z", "2026/01/15 00:00"),
        ("2025-12-31T14:59:59Z", "2025/12/31 23:59"),
        ("2026-07-01T00:00:00-03:30", "2026/07/01 12:30"),
    ],
)
def test_the_time_of_issue_is_japan_time_cut_to_the_minute(issued_at: str, shown: str) -> None:
    assert issued_at_shown(datetime.fromisoformat(issued_at)) == shown


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("new", "新規"),
        ("change", "変更"),
        ("correction", "訂正"),
        ("change_cancellation", "変更取消"),
        ("termination", "解約"),
    ],
)
def test_the_kind_of_the_version_is_named_in_japanese(kind: str, shown: str) -> None:
    assert f"対象：{shown}\n" in text_of(letter(version_kind=kind))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("change", "保証契約の変更による、新しい電子証書です。"),
        ("correction", "電子証書の訂正による、新しい電子証書です。"),
        ("change_cancellation", "保証契約の変更の取消による、新しい電子証書です。"),
        ("termination", "保証契約の解約による電子証書です。"),
    ],
)
def test_a_later_version_says_why_it_was_made_and_that_the_key_stays(kind: str, said: str) -> None:
    changed = letter(version_kind=kind, version=2)

    for told in (text_of(changed), Reader(html_of(changed)).words):
        assert said + "認証キーは変わりません。" in told
    for told in (text_of(letter()), Reader(html_of(letter())).words):
        assert "変わりません" not in told


def test_a_letter_from_before_its_ordinal_was_told_is_the_first() -> None:
    kept = letter(ordinal=3).model_dump(mode="json")

    assert Letter.model_validate(kept).ordinal == 3
    assert Letter.model_validate({name: kept[name] for name in kept if name != "ordinal"}).ordinal == 1


@pytest.mark.parametrize(
    ("address", "mailable"),
    [
        ("tanaka@kensetsu.example", True),
        ("a.b+c=d!#$%&'*/?^_`{|}~-@kensetsu.example", True),
        ("taro..yamada.@docomo.example", True),
        ("a@localhost", True),
        ("a" * 64 + "@kensetsu.example", True),
        ("a" * 65 + "@kensetsu.example", False),
        ("a@" + "b" * 63 + ".example", True),
        ("a@" + "b" * 64 + ".example", False),
        ("a@" + ".".join(["b" * 60] * 4) + ".example", True),
        ("a@" + ".".join(["b" * 60] * 4) + ".long.example", False),
        ("", False),
        ("a", False),
        ("@kensetsu.example", False),
        ("a@", False),
        ("a@b@c.example", False),
        ("a b@kensetsu.example", False),
        ("a@kensetsu.example\r\nRCPT TO:<x@evil.example>", False),
        ("a@kensetsu.example\n", False),
        ("a>@kensetsu.example", False),
        ('"a"@kensetsu.example', False),
        ("a,b@kensetsu.example", False),
        ("a@-x.example", False),
        ("a@x..example", False),
        ("建設@kensetsu.example", False),
        ("a@建設.example", False),
        ("ａ@kensetsu.example", False),
    ],
)
def test_an_address_is_mailable_or_not(address: str, mailable: bool) -> None:
    assert is_mailable(address) is mailable


def test_stray_dots_are_quoted_on_the_way_out() -> None:
    assert addr_spec("taro..yamada.@docomo.example") == '"taro..yamada."@docomo.example'
    assert addr_spec("taro.yamada@docomo.example") == "taro.yamada@docomo.example"


def test_the_message_id_is_the_same_for_the_same_occasion_and_another_for_another() -> None:
    first = message_id_of("00000-000001", 1, "71741bae-14ea-5978-8c1c-7efcca2fbbbc", "hosho.example")

    assert first == "00000-000001.1.71741bae-14ea@hosho.example"
    assert first != message_id_of("00000-000001", 1, "0c3e6e0a-9f3b-5d52-8a5e-0b0b7a9c1d2e", "hosho.example")


def test_a_letter_survives_its_rest_in_the_database() -> None:
    kept = letter(issued_at=datetime(2026, 1, 15, 0, 30, tzinfo=UTC))

    assert Letter.model_validate_json(to_json(kept)) == kept
    assert kept.subject == "00000-000001/1"
