"""The canary can sing: a key in any spelling is found wherever it was put, and what is no key is left alone."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from tests.faults.canary import spellings
from tests.faults.canary.hunting import Hunt, hunt
from tests.faults.canary.places import Place, marks, troubles
from tests.faults.canary.spans import listening
from tests.faults.canary.spellings import Search, told
from tests.faults.canary.story import in_words, report

NUMBER, KEY = "26001-000042", "aZ09mQx7PkT3"
OTHERS = {f"26001-{serial:06}": f"Other{serial:07}" for serial in range(40)}
SEARCH = Search({**OTHERS, NUMBER: KEY})

SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "clear": str.encode,
    "glued to other letters": lambda key: f"x{key}y".encode(),
    **{
        f"base64 after {before} bytes": lambda key, before=before: base64.b64encode(
            b"?" * before + key.encode() + b"!!"
        )  # type: ignore[misc]
        for before in range(3)
    },
    "base64url inside a token": lambda key: base64.urlsafe_b64encode(f'{{"auth_key":"{key}"}}'.encode()),
    "hex": lambda key: key.encode().hex().encode(),
    "hex in capitals": lambda key: key.encode().hex().upper().encode(),
    "URL escapes": lambda key: "".join(f"%{ord(letter):02x}" for letter in key).encode(),
    "URL escapes in capitals": lambda key: "".join(f"%{ord(letter):02X}" for letter in key).encode(),
    "a query string": lambda key: quote(f"auth_key={key}&a=前").encode(),
    "JSON escapes": lambda key: "".join(f"\\u{ord(letter):04x}" for letter in key).encode(),
    "JSON in JSON": lambda key: json.dumps("".join(f"\\u{ord(letter):04X}" for letter in key)).encode(),
    "byte escapes": lambda key: "".join(f"\\x{ord(letter):02x}" for letter in key).encode(),
    "markup": lambda key: "".join(f"&#{ord(letter)};" for letter in key).encode(),
    "markup in hex": lambda key: "".join(f"&#x{ord(letter):x};" for letter in key).encode(),
    "UTF-16, little end first": lambda key: key.encode("utf-16-le"),
    "UTF-16, big end first": lambda key: key.encode("utf-16-be"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_key_in_a_log_line_is_found_in_every_spelling(tmp_path: Path, spelling: str) -> None:
    log = tmp_path / "issuer.log"
    line = b'{"event": "errand.failed", "error": "' + SPELLINGS[spelling](KEY) + b'"}\n'
    log.write_bytes(b'{"event": "delivery.handled"}\n' * 100 + line + b'{"event": "delivery.handled"}\n')
    found = list(SEARCH.in_file(log))

    assert {(one.key_of, one.where) for one in found} == {(NUMBER, str(log))}
    assert all(KEY not in line for line in told(found)), "the finding must not be a leak itself"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_key_and_its_own_fragments_are_not_found(spelling: str) -> None:
    assert not list(SEARCH.in_bytes(SPELLINGS[spelling](KEY.swapcase()), "a log"))
    assert not list(SEARCH.in_bytes(SPELLINGS[spelling](KEY[:-1]), "a log"))


def test_base64url_of_letters_and_digits_is_their_base64() -> None:
    for before in range(3):
        text = b"?" * before + bytes(range(ord("0"), ord("9"))) + bytes(range(ord("A"), ord("z")))
        inner = slice((0, 2, 3)[before], -4)

        assert base64.b64encode(text)[inner] == base64.urlsafe_b64encode(text)[inner]


def test_a_key_on_the_seam_of_two_chunks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spellings, "CHUNK_BYTES", 1024)
    for start in range(1000, 1030):
        path = tmp_path / str(start)
        path.write_bytes(b"." * start + KEY.encode() + b"." * 2000)

        assert list(SEARCH.in_file(path)), f"missed at {start}"


def test_a_key_after_a_chunk_of_zeros_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spellings, "CHUNK_BYTES", 1024)
    path = tmp_path / "segment"
    path.write_bytes(bytes(4096) + KEY.encode() + bytes(4096))

    assert list(SEARCH.in_file(path))


def test_what_is_no_key_is_refused_instead_of_being_sought_in_vain() -> None:
    for wrong in ("", "short", "has-a-dash-in-it", "全角の認証キーです。"):
        with pytest.raises(ValueError, match="not letters and digits"):
            Search({NUMBER: wrong})


def _hunted(data: bytes, *, mark: re.Pattern[bytes] | None = None, allowed: bool = False) -> Hunt:
    return hunt([Place("the issuer's log", (("issuer.log", data),), mark, allowed)], SEARCH)


def test_a_place_that_does_not_show_its_mark_was_not_seen(tmp_path: Path) -> None:
    mark = marks([NUMBER])
    empty, full = tmp_path / "empty.log", tmp_path / "full.log"
    empty.write_bytes(b"")
    full.write_bytes(b"of 26001-000007 nothing is told")

    assert _hunted(b"of 26001-000007 nothing is told", mark=mark).clean
    assert _hunted(b"nothing", mark=mark).blind == ["the issuer's log"]
    assert hunt([Place("logs", (("a", empty), ("b", full)), mark)], SEARCH).clean
    assert hunt([Place("logs", (("a", empty),), mark)], SEARCH).blind == ["logs"]


def test_a_key_is_a_leak_where_it_may_not_stand_and_wanted_where_it_must() -> None:
    leaked, wanted = _hunted(KEY.encode()), _hunted(KEY.encode(), allowed=True)

    assert not leaked.clean
    assert [one.key_of for one in leaked.outside] == [NUMBER]
    assert wanted.clean
    assert [one.key_of for one in wanted.allowed] == [NUMBER]
    assert _hunted(b"", allowed=True).blind == ["the issuer's log"], "none where they must be: the search is blind"


def test_the_report_has_the_promised_figures_and_no_key(tmp_path: Path) -> None:
    path = tmp_path / "build" / "canary.json"
    found = _hunted(b"key=" + KEY.encode() + b" hex=" + KEY.encode().hex().encode())
    report(found, 41, path)
    figures = json.loads(path.read_text())

    assert figures["marked_keys"] == 41
    assert figures["places_searched"] == 1
    assert figures["bytes_searched"] == 4 + 12 + 5 + 24
    assert figures["found_outside_allowed"] == 2
    assert KEY not in path.read_text() + "\n".join(in_words(found))


async def test_a_key_in_a_span_is_found_and_spans_without_the_call_are_no_proof() -> None:
    async with listening() as spans, aiohttp.ClientSession() as http:
        async with http.post(f"{spans.url}/v1/traces", data=b"\x0a\x10settle a queue") as answer:
            assert answer.status == 200
        blind = hunt([spans.place], SEARCH).blind
        async with http.post(f"{spans.url}/v1/traces", data=b"\x0a\x15call post_certificate" + KEY.encode()):
            pass
        found = hunt([spans.place], SEARCH)

    assert blind == ["traces"]
    assert (found.blind, [one.where for one in found.outside]) == ([], ["spans 1"])


def test_texts_of_errors_are_searched_apart_and_none_of_them_is_no_proof(tmp_path: Path) -> None:
    log = tmp_path / "log" / "issuer.log"
    log.parent.mkdir()
    world: Any = SimpleNamespace(system=SimpleNamespace(place=SimpleNamespace(folder=tmp_path)))
    log.write_text('{"event": "delivery.handled", "level": "info"}\n', encoding="utf-8")
    blind = hunt([troubles(world)], SEARCH).blind
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"event": "errand.failed", "error": f"could not post {KEY}", "level": "warning"}) + "\n")
    found = hunt([troubles(world)], SEARCH)

    assert blind == ["texts of errors"]
    assert (found.blind, [one.key_of for one in found.outside]) == ([], [NUMBER])
