"""Foreign text on paper: nothing is lost, nothing is hidden, and every line can be broken."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuer.papers.lettering import UNBROKEN_CHARS_MAX, fit, pieces

_WRITTEN = re.compile(r"〓\(U\+([0-9A-F]{4,6})\)")


def read_back(printed: str) -> str:
    """What was to be printed, from what is printed."""
    return _WRITTEN.sub(lambda found: chr(int(found[1], 16)), printed)


@pytest.mark.parametrize("text", ["髙橋﨑㈱𠮷野", "○○銀行　××支店", "ABC ﾊﾝｶｸ ①②Ⅲ～〜－−", "か\u3099き", "神福", ""])
def test_what_the_faces_have_is_printed_as_it_is(text: str) -> None:
    assert "".join(pieces(text)) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("橋🏗梁", "橋〓(U+1F3D7)梁"),
        ("工事\u202egnp.exe", "工事〓(U+202E)gnp.exe"),
        ("ゼロ\u200b幅", "ゼロ〓(U+200B)幅"),
        ("タブ\tと\x00", "タブ〓(U+0009)と〓(U+0000)"),
        ("改\u2028行", "改〓(U+2028)行"),
        ("外字\ue000", "外字〓(U+E000)"),
        ("半\ud842分", "半〓(U+D842)分"),
        ("\u3099濁点から", "〓(U+3099)濁点から"),
        ("か\u3099\u3099", "か\u3099〓(U+3099)"),
        ("שלום", "〓(U+05E9)〓(U+05DC)〓(U+05D5)〓(U+05DD)"),
    ],
)
def test_what_cannot_be_seen_or_would_mislead_is_printed_as_its_number(text: str, printed: str) -> None:
    assert "".join(pieces(text)) == printed


def test_the_variant_of_a_letter_is_printed_as_the_letter() -> None:
    assert "".join(pieces("葛\U000e0100飾区")) == "葛飾区"


def test_a_line_feed_is_a_piece_of_its_own() -> None:
    assert pieces("一\r\n\n二") == ["一", "\n", "\n", "二"]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_nothing_is_lost(text: str) -> None:
    given_text = text.replace("\r\n", "\n")
    kept = "".join(one for one in given_text if not _is_selector(one))

    assert "".join(one for one in read_back("".join(pieces(text))) if not _is_selector(one)) == kept


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_nothing_printed_hides_or_reorders(text: str) -> None:
    printed = "".join(pieces(text)).replace("\n", "")

    assert not {unicodedata.category(one) for one in printed} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(one) for one in printed} & {"R", "AL", "RLO", "LRO", "RLE", "LRE"}


@pytest.mark.parametrize("letter", ["A", "ー", "…", "。", "0", "(", "ｱ", "\u0301", "가"])
def test_a_long_run_without_a_place_to_break_gets_some(letter: str) -> None:
    cut = pieces(letter * 200)

    assert len(cut) > 10
    assert all(len(piece) <= UNBROKEN_CHARS_MAX + len("〓(U+10FFFF)") for piece in cut)


def test_ten_thousand_marks_are_marks_no_more() -> None:
    printed = "".join(pieces("e" + "\u0301" * 10_000))

    assert read_back(printed) == "e" + "\u0301" * 10_000
    assert len(printed) < 10_001 * len("〓(U+0301)")


def test_texts_are_fitted_at_any_depth() -> None:
    assert fit({"a": [["名", "値"], {"title": "題", "rows": [["/x", "A"]]}]}) == {
        "a": [[["名"], ["値"]], {"title": ["題"], "rows": [[["/x"], ["A"]]]}]
    }


def _is_selector(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF
