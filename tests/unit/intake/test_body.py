"""From bytes to a JSON object: nothing that is sent raises, and everything unsound is told at its place."""

import json

import pytest

from services.intake.domain.body import BODY_BYTES_MAX, DEPTH_MAX, UNSOUND, Document, Unreadable, read_body
from tests.unit.intake.samples import DOOR, EXAMPLE, REGISTRY, body_of, changed, refusal_of


def _why(body: bytes) -> list[str]:
    read = read_body(body)
    assert isinstance(read, Unreadable)
    return [problem.code for problem in read.problems]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_not_json"),
        (b"{", "body_not_json"),
        (b"{'a': 1}", "body_not_json"),
        (b'{"a": 1} x', "body_not_json"),
        (b'{"a": 01}', "body_not_json"),
        (b'{"a": "\t"}', "body_not_json"),
        (b'{"a": "\\x"}', "body_not_json"),
        (b"[1]", "body_not_an_object"),
        (b"null", "body_not_an_object"),
        (b"NaN", "body_not_an_object"),
        (b"\xff\xfe{\x00}\x00", "body_not_utf8"),
        ('{"a": "三島"}'.encode("shift_jis"), "body_not_utf8"),
        ('{"a": 1}'.encode("utf-16-le"), "body_not_utf8"),
        ('{"a": 1}'.encode("utf-32-be"), "body_not_utf8"),
        (b'{"a": "\xed\xa0\x80"}', "body_not_utf8"),
        (b'{"a": "\x00"}', "body_not_utf8"),
        (b'\xef\xbb\xbf{"a": 1}', "body_has_bom"),
    ],
)
def test_what_holds_no_json_object_is_unreadable_with_its_reason(body: bytes, code: str) -> None:
    assert _why(body) == [code]


def test_the_limit_on_bytes_is_exact() -> None:
    frame = len(b'{"a": ""}')

    assert isinstance(read_body(b'{"a": "' + b"x" * (BODY_BYTES_MAX - frame) + b'"}'), Document)
    assert _why(b'{"a": "' + b"x" * (BODY_BYTES_MAX - frame + 1) + b'"}') == ["body_too_large"]


def test_the_limit_on_depth_is_exact_and_no_bomb_goes_off() -> None:
    def nested(levels: int) -> bytes:
        return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"

    assert isinstance(read_body(nested(DEPTH_MAX)), Document)
    assert isinstance(read_body(nested(DEPTH_MAX)[:-1] + b',"b":[[],{}]}'), Document)
    assert _why(nested(DEPTH_MAX + 1)) == ["body_too_deep"]
    assert _why(b"[" * BODY_BYTES_MAX) == ["body_too_deep"]
    assert _why(b'{"a":' * 40_000) == ["body_too_deep"]


def test_brackets_in_text_are_no_depth() -> None:
    assert isinstance(read_body(body_of({"a": "[{" * 200, "b": '\\"[' * 200})), Document)


def test_a_text_that_never_ends_is_scanned_once() -> None:
    # Quadratic work on this body would take minutes.
    assert _why(b'{"a": "' + b'\\"[' * 80_000) == ["body_not_json"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"NaN", "number_not_finite"),
        (b"Infinity", "number_not_finite"),
        (b"-Infinity", "number_not_finite"),
        (b"1e999", "number_not_finite"),
        (b"9" * 100_000, "number_out_of_range"),
        (b"9007199254740992", "number_out_of_range"),
        (b"-9007199254740992", "number_out_of_range"),
        (rb'"a\u0000b"', "control_character"),
        (rb'"a\u001bb"', "control_character"),
        (rb'"a\u007fb"', "control_character"),
        (b'"a\xc2\x85b"', "control_character"),
        (rb'"a\ud800b"', "lone_surrogate"),
        (rb'"a\udc00\ud800b"', "lone_surrogate"),
    ],
)
def test_an_unsound_value_is_told_at_its_place_and_taken_out(value: bytes, code: str) -> None:
    read = read_body(b'{"a": {"b": [1, ' + value + b"]}}")

    assert isinstance(read, Document)
    assert [(problem.code, problem.pointer) for problem in read.problems] == [(code, "/a/b/1")]
    assert read.fields == {"a": {"b": [1, UNSOUND]}}


@pytest.mark.parametrize(
    "value", [9_007_199_254_740_991, -9_007_199_254_740_991, 0, 1.5, "😀", "a\tb\nc\r", "○×髙", True, None]
)
def test_sound_values_stay_as_they_are(value: object) -> None:
    assert read_body(json.dumps({"a": value}).encode()) == Document({"a": value}, ())


def test_a_key_given_twice_is_told_once_per_repeat_and_its_value_is_taken_out() -> None:
    read = read_body(b'{"a": 1, "b": {"c/d": 1, "c/d": 1, "c/d": 2}, "a": 1}')

    assert isinstance(read, Document)
    places = [(problem.code, problem.pointer) for problem in read.problems]
    assert places == [("duplicate_key", "/b/c~1d"), ("duplicate_key", "/b/c~1d"), ("duplicate_key", "/a")]
    assert read.fields == {"a": UNSOUND, "b": {"c/d": UNSOUND}}


def test_a_key_that_cannot_be_told_back_is_told_at_its_object() -> None:
    read = read_body(rb'{"a": {"b\u0000": 1, "c": 2}}')

    assert isinstance(read, Document)
    assert [(problem.code, problem.pointer) for problem in read.problems] == [("control_character", "/a")]
    assert read.fields == {"a": {"c": 2}}


def test_unsound_fields_nobody_asked_for_refuse_the_application_too() -> None:
    body = body_of(EXAMPLE)[:-1] + rb', "note": "a\u0000b"}'

    assert refusal_of(body) == [("control_character", "/note")]


def test_a_pointer_is_never_longer_than_its_limit() -> None:
    read = read_body(b'{"a": {"' + b"k" * 10_000 + b'": NaN}}')

    assert isinstance(read, Document)
    assert [problem.pointer for problem in read.problems] == ["/a"]


def test_an_unsound_field_is_told_once_and_the_others_are_still_judged() -> None:
    body = body_of(changed({"/contract/price": "PRICE", "/contact/phone": " "})).replace(b'"PRICE"', b"NaN")

    assert refusal_of(body) == [("number_not_finite", "/contract/price"), ("blank", "/contact/phone")]


def test_the_registry_and_the_door_of_the_tests_fit_the_example() -> None:
    assert (DOOR, REGISTRY.find("222062", "三島市長") is not None) == ("portal-a", True)
