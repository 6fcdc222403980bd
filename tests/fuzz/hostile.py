"""Hostile texts, numbers and bodies, each with the name of what it tries."""

import gzip
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as st

DIGITS: Final = 100_000
"""Enough digits to be a bomb for whoever turns them into a number, and few enough for a body."""

COMBINING: Final = 10_000
DEEP: Final = 5_000
WIDE: Final = 50_000

TEXTS: Final[Mapping[str, str]] = {
    "markup": "<script>alert(1)</script>&amp;\"'",
    "image": "<img src=x onerror=alert(1)>",
    "template": "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "typst": '#read("/etc/passwd") $x$ *b* #eval("1+1") \\ ]',
    "sql": "'); drop table intake.submission; --",
    "sheet": '=HYPERLINK("http://x.example","x")',
    "sheet-at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "header": "x\r\nBcc: everybody@x.example\r\n\r\nbody",
    "encoded-word": "=?utf-8?q?=0d=0aBcc:=20x=40x.example?=",
    "log": 'x"}\n{"level":"error","event":"forged"}',
    "terminal": "\x1b[31mred\x1b]0;title\x07",
    "bidi": "\u202eabc\u202c\u2066def\u2069",
    "zero-width": "a\u200bb\u200cc\u200dd\ufeffe",
    "rtl": "مرحبا שלום 工事",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👍🏽🇯🇵",
    "combining": "e" + "\u0301" * 40,
    "combining-bomb": "e" + "\u0301" * COMBINING,
    "long": "工" * 20_000,
    "nul": "a\x00b",
    "high-surrogate": "a\ud800b",
    "low-surrogate": "\udfff",
    "separators": "a\u2028b\u2029c\x85d",
    "private-use": "\ue000\U000f0000\U0010ffff\ufffe",
    "variation": "葛\U000e0100飾區 髙橋 𠮷野",
    "format": "%s%n%x{0}{}{__class__}",
    "path": "../../../../etc/passwd",
    "fixed-point": "ﷺ" * 20,
    "spaces": "\u3000 \u00a0\u2003",
    "half-kana": "ｶﾞﾊﾟｳﾞｰ",
}

ATOMS: Final = (
    *("null", "true", "false", "0", "-0", "-1", "1.0", "5e7", "1e999999", "-1e999999", "1e-999999", "NaN", "Infinity"),
    *("9007199254740993", "9" * 400, "9" * DIGITS, "0." + "1" * DIGITS, '""', '" "', '"\\u0000"', '"\\ud800"'),
    *('"\\ud83d\\ude00"', '"\\u202e"', "[]", "{}", "[[]]", '{"a":1,"a":2}', "[" * 40 + "]" * 40),
    *("[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP, "[" + "0," * WIDE + "0]", "01", "'x'", "tru", '"'),
    *(
        '"2026-02-30"',
        '"令和8年13月1日"',
        '"R8.1.5"',
        '"令和99999年1月1日"',
        '"0000-01-01"',
        '"9999-12-31T23:59:59-23:59"',
    ),
    *(json.dumps(text) for text in TEXTS.values()),
)
"""Pieces of JSON, some of them none, that stand in the place of a value."""

_HOLE: Final = "\ue0ff the hole \ue0ff"


def places(document: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a document, the document itself first."""
    found: list[tuple[str | int, ...]] = [path]
    if isinstance(document, dict):
        for name, value in document.items():
            found += places(value, (*path, name))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            found += places(value, (*path, index))
    return found


def put(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    """The document with another value at this place."""
    if not path:
        return value
    changed = deepcopy(document)
    held = changed
    for step in path[:-1]:
        held = held[step]
    held[path[-1]] = value
    return changed


def with_atom(document: object, path: tuple[str | int, ...], atom: str) -> bytes:
    """The document as JSON with these very characters at a place."""
    text = json.dumps(put(document, path, _HOLE), ensure_ascii=False)
    return text.replace(json.dumps(_HOLE, ensure_ascii=False), atom).encode("utf-8", "surrogatepass")


ANY_TEXT: Final = st.sampled_from(sorted(TEXTS.values())) | st.text(max_size=60)
ANY_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


def _as_json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True).encode()


@st.composite
def bodies(draw: st.DrawFn, document: object) -> bytes:
    """Bodies near a good one: with other values at some places, cut, doubled, garbled, or nothing like it at all."""
    body = with_atom(document, draw(st.sampled_from(places(document))), draw(st.sampled_from(ATOMS)))
    match draw(st.sampled_from(("atom", "value", "cut", "insert", "bom", "utf-16", "gzip", "any", "bytes"))):
        case "value":
            return _as_json(put(document, draw(st.sampled_from(places(document))), draw(ANY_JSON)))
        case "cut":
            return body[: draw(st.integers(0, len(body)))]
        case "insert":
            at = draw(st.integers(0, len(body)))
            return body[:at] + draw(st.binary(max_size=8)) + body[at:]
        case "bom":
            return b"\xef\xbb\xbf" + body
        case "utf-16":
            return body.decode("utf-8", "replace").encode("utf-16-le", "surrogatepass")
        case "gzip":
            return gzip.compress(body)
        case "any":
            return _as_json(draw(ANY_JSON))
        case "bytes":
            return draw(st.binary(max_size=200))
        case _:
            return body


def bombs(document: dict[str, Any]) -> dict[str, bytes]:
    """Bodies that cost whoever reads them naively far more than they cost their sender."""
    small, large = json.dumps(document).encode(), b" " * 20_000_000
    first = next(iter(document))
    return {
        "deep list": b"[" * 130_000,
        "deep object": b'{"a":' * 50_000,
        "deep in a field": with_atom(document, (first,), "[" * 100_000 + "]" * 100_000),
        "a million digits": with_atom(document, (first,), "9" * 200_000),
        "an endless exponent": with_atom(document, (first,), "1e999999999999"),
        "digits and exponent": with_atom(document, (first,), "9" * 100_000 + "e-100000"),
        "a key twice": small[:-1] + b"," + small[1:],
        "a key ten thousand times": b"{" + b'"a":1,' * 10_000 + b'"a":1}',
        "many keys": _as_json({f"k{number}": number for number in range(15_000)}),
        "a wide list": with_atom(document, (first,), "[" + "0," * 100_000 + "0]"),
        "all brackets in a text": with_atom(document, (first,), '"' + "[{" * 100_000 + '"'),
        "backslashes": with_atom(document, (first,), '"' + "\\\\" * 100_000 + '"'),
        "an unended text": b'{"a":"' + b"\\" * 200_000,
        "compressed": gzip.compress(small),
        "compressed bomb": gzip.compress(large),
        "too large": b'{"a":"' + b"x" * 300_000 + b'"}',
        "nothing": b"",
        "spaces": b" " * 200_000,
        "a lone surrogate as bytes": b'{"a":"\xed\xa0\x80"}',
        "an overlong letter": b'{"a":"\xc0\xaf"}',
    }
