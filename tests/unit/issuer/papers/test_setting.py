"""The papers as they come out of Typst, read as a reader program would read them."""

import json
import re
import unicodedata
from typing import Any, cast

import pytest
import segno
from pypdf.generic import ContentStream, DictionaryObject

from services.issuer.papers.content import Advice
from services.issuer.papers.lettering import pieces
from services.issuer.papers.setting import Setter
from shared.signing import canonical, content_sha256, signed_content, verify
from tests.unit.issuer.papers.notices import (
    EVIL,
    KEY,
    PAGE,
    certificate,
    notice,
    opened,
    squeezed,
    words_of,
)
from tests.unit.issuer.samples import EXAMPLES

LINE_LETTERS_MAX = 130
"""Of half width, in the smallest face that is used over the whole width of the page."""

LOOKS_LIKE_ANOTHER = "0OolI1iS5B8Z2"


@pytest.fixture(scope="module")
def setter() -> Setter:
    return Setter()


@pytest.mark.parametrize(
    "said",
    [
        "電子保証にかかる「認証キー」のお知らせ",
        "髙橋建設 株式会社 様",
        "髙橋・○○特定建設工事共同企業体",
        "00000-000001",
        KEY,
        "市道○○線道路改良工事",
        "三島市長",
        "50,000,000 円",
        "20,000,000 円",
        "保証期限2026年12月25日（令和8年12月25日）",
        "前払金保証",
        "○○銀行　××支店",
        "電子保証発行日時2026/01/15 09:30",
        "作成日時　2026/01/15 10:02",
        "○○市 契約検査課 keiyaku@city.example",
        "【認証キー】市道○○線道路改良工事",
        "受付は平日の9時から17時までです。",
        PAGE,
        "この書面を発注者に提出することをお奨めします",
    ],
)
def test_the_notice_says_everything_it_is_for(notice_words: str, said: str) -> None:
    assert squeezed(said) in notice_words


@pytest.fixture(scope="module")
def notice_words(setter: Setter) -> str:
    return words_of(setter.set(notice().order()))


def test_the_key_is_one_word_to_copy_and_its_letters_are_told_apart(setter: Setter) -> None:
    paper = setter.set(notice(key=LOOKS_LIKE_ANOTHER).order())
    text = "".join(page.extract_text() for page in opened(paper).pages)

    assert LOOKS_LIKE_ANOTHER in text
    assert "数字大文字小文字小文字大文字数字小文字大文字数字大文字数字大文字数字" in squeezed(text)
    assert "DejaVuSansMono" in str(faces_of(paper))


def test_without_a_page_there_is_neither_address_nor_qr_code(setter: Setter) -> None:
    words = words_of(setter.set(notice(page=None).order()))

    assert "発注者の方へ" not in words
    assert "http" not in words


def test_an_obligee_without_advice_is_to_be_asked(setter: Setter) -> None:
    words = words_of(setter.set(notice(advice=Advice()).order()))

    assert "発注者にご確認ください" in words


def test_the_qr_code_holds_the_address_and_no_key(setter: Setter) -> None:
    one, other = (setter.set(notice(key=key).order()) for key in (KEY, KEY[::-1]))
    elsewhere = setter.set(notice(page=PAGE + "#" + KEY).order())
    without = setter.set(notice(page=None).order())
    runs_of_dark = sum(len(re.findall("1+", "".join(map(str, row)))) for row in segno.make_qr(PAGE, error="m").matrix)

    assert lines_of(one) == lines_of(other)
    assert lines_of(one) != lines_of(elsewhere)
    assert len(lines_of(one)) - len(lines_of(without)) == pytest.approx(runs_of_dark, abs=10)


def test_every_member_of_the_signed_data_can_be_read_off_the_certificate(setter: Setter) -> None:
    signed = certificate()
    words = words_of(setter.set(signed.order()))
    rows = [row for one in json.loads(signed.order())["given"]["shown"]["sections"] for row in one["rows"]]

    assert len(rows) == 21
    assert all(squeezed(name) + squeezed(text) in words for name, text in rows)
    assert signed.content_sha256 in words
    assert signed.signature in words
    assert "example-1" in words
    assert squeezed("電子証書の原本は、電子署名された電子データです。") in words


@pytest.mark.parametrize("changed", [{}, {"member_of_tomorrow": "○○"}])
def test_the_certificate_says_once_why_it_does_not_tell_its_time_of_issue(
    setter: Setter, changed: dict[str, str]
) -> None:
    signed = certificate(**changed)
    paper = setter.set(signed.order())
    attached = json.loads(opened(paper).attachments["certificate.json"][0])

    assert words_of(paper).count("電子保証発行日時は、署名された電子証書がプラットフォームに到達したときに定まる") == 1
    assert canonical(signed_content(attached)).decode() == signed.canonical


def test_the_certificate_carries_the_signed_data_and_that_verifies(setter: Setter) -> None:
    attached = opened(setter.set(certificate().order())).attachments["certificate.json"][0]
    data = json.loads(attached)
    jwks = json.loads((EXAMPLES / "jwks.json").read_text(encoding="utf-8"))

    assert "auth_key" not in data
    assert content_sha256(signed_content(data)) == data["content_sha256"]
    assert verify(canonical(signed_content(data)), data["signature"], jwks)


@pytest.mark.parametrize("order", [notice().order(), certificate().order()])
def test_both_papers_say_that_they_are_for_keeping_and_for_everybody(setter: Setter, order: bytes) -> None:
    paper = opened(setter.set(order))
    catalogue = cast(Any, paper.root_object)
    about = catalogue["/Metadata"].get_object().get_data().decode()

    assert re.search(r"pdfaid:part>3<.*pdfaid:conformance>A<", about, re.DOTALL)
    assert "pdfuaid:part>1<" in about
    assert catalogue["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == "ja-JP"
    assert all(embedded for _, embedded in faces_of(setter.set(order)))


def test_the_same_order_gives_the_same_paper(setter: Setter) -> None:
    assert setter.set(certificate().order()) == Setter().set(certificate().order())


@pytest.mark.parametrize("text", [EVIL, "A" * 200, "ー" * 200, "e" + "\u0301" * 199, "工事\u202egnp.exe🏗", "\x00"])
def test_no_text_breaks_out_of_a_paper_or_over_its_edge(setter: Setter, text: str) -> None:
    everywhere = {"contractor": text, "jv_name": text, "project_name": text, "obligee": text, "guarantor": text}
    advice = Advice(text, text, text)
    papers = [
        setter.set(notice(**everywhere, product_name=text, depository=text, advice=advice).order()),
        setter.set(certificate(project_name=text, contractor={"name": text, text: text}, product_name=text).order()),
    ]
    printed = squeezed("".join(pieces(text)))

    for paper in papers:
        assert words_of(paper).count(printed) >= 3
        assert max(widths_of(paper)) <= LINE_LETTERS_MAX


def widths_of(paper: bytes) -> list[int]:
    """How wide the lines of a paper are, in letters of half width."""
    lines = [line for page in opened(paper).pages for line in page.extract_text().splitlines()]
    return [sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line) for line in lines]


def faces_of(paper: bytes) -> list[tuple[str, bool]]:
    """The faces a paper uses, and whether each travels with it."""
    found = []
    for page in opened(paper).pages:
        fonts = cast(DictionaryObject, cast(Any, page["/Resources"])["/Font"])
        for font in fonts.values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            described = below["/FontDescriptor"].get_object()
            embedded = {"/FontFile2", "/FontFile3"} & set(described)
            found.append((str(below["/BaseFont"]), bool(embedded)))
    return found


def lines_of(paper: bytes) -> list[list[float]]:
    """Where lines begin that are drawn: the edges of tables, and every dark run of a QR code."""
    reader = opened(paper)
    streams = [ContentStream(page.get_contents(), reader) for page in reader.pages]
    return [list(map(float, where)) for stream in streams for where, operator in stream.operations if operator == b"m"]
