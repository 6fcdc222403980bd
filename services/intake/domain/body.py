"""From the bytes of a body to a JSON object, with everything that is unsound about it.

Reading never raises. Either no JSON object can be had (`Unreadable`), or there is one in which every unsound place
(a key given twice, a control character, a number nobody can hold) is replaced by `UNSOUND` and told as a problem;
what stands beside it can still be judged. Source: RFC 8259 (JSON), RFC 7493 (I-JSON) for numbers and duplicates.
"""

import json
import math
import re
from dataclasses import dataclass
from typing import Final

from services.intake.domain.catalogue import Code, problem
from shared.problems import Problem

BODY_BYTES_MAX = 262_144
"""What a portal may send, over AMQP or HTTP (contract, section 2)."""

DEPTH_MAX = 32
"""The form needs four levels; the rest is room for fields that we keep and ignore."""

INTEGER_MAX = 2**53 - 1
"""The largest integer that every JSON implementation holds exactly (RFC 7493, section 2.2)."""

_INTEGER_CHARS_MAX: Final = len(str(INTEGER_MAX)) + 1

# A string that never ends is one token too, so that the scan stays linear whatever is sent.
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_UNSOUND_CHARACTER: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Unsound:
    """Stands where a value was that nobody should work with; its problem is told already."""


UNSOUND: Final = Unsound()


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object as it was sent, and what is unsound about it."""

    fields: dict[str, object]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A body without a JSON object in it: only its problems can be told."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _BadNumber:
    code: Code


class _Pairs(list[tuple[str, object]]):
    """An object with its keys in order, and twice where they were sent twice."""


def read_body(body: bytes) -> Document | Unreadable:
    """The JSON object of `body`, or why there is none."""
    text = _text(body)
    if isinstance(text, Problem):
        return Unreadable((text,))
    if _is_deeper_than(text, DEPTH_MAX):
        return Unreadable((problem(Code.BODY_TOO_DEEP, "", depth_max=DEPTH_MAX),))
    try:
        value = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_integer, parse_float=_number, parse_constant=_not_finite
        )
    except json.JSONDecodeError as error:
        return Unreadable((problem(Code.BODY_NOT_JSON, "", line=error.lineno, column=error.colno),))
    if not isinstance(value, _Pairs):
        return Unreadable((problem(Code.BODY_NOT_AN_OBJECT, ""),))
    problems: list[Problem] = []
    fields = _object(value, "", problems)
    return Document(fields, tuple(problems))


def _text(body: bytes) -> str | Problem:
    if len(body) > BODY_BYTES_MAX:
        return problem(Code.BODY_TOO_LARGE, "", bytes_max=BODY_BYTES_MAX)
    if body.startswith(b"\xef\xbb\xbf"):
        return problem(Code.BODY_HAS_BOM, "")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return problem(Code.BODY_NOT_UTF8, "")
    # UTF-16 and UTF-32 without a mark decode as UTF-8 if all is ASCII, with a NUL beside every letter.
    return problem(Code.BODY_NOT_UTF8, "") if "\0" in text else text


def _is_deeper_than(text: str, levels: int) -> bool:
    # Counted before parsing, because the parser recurses and a bomb of brackets would end it with an error of its own.
    if text.count("[") + text.count("{") <= levels:
        return False
    depth = 0
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign in ("[", "{"):
            depth += 1
            if depth > levels:
                return True
        elif sign in ("]", "}"):
            depth -= 1
    return False


def _integer(digits: str) -> int | _BadNumber:
    # The length is looked at first: turning a hundred thousand digits into a number takes seconds or is refused.
    if len(digits) > _INTEGER_CHARS_MAX or abs(int(digits)) > INTEGER_MAX:
        return _BadNumber(Code.NUMBER_OUT_OF_RANGE)
    return int(digits)


def _number(digits: str) -> float | _BadNumber:
    value = float(digits)
    return value if math.isfinite(value) else _BadNumber(Code.NUMBER_NOT_FINITE)


def _not_finite(_: str) -> _BadNumber:
    return _BadNumber(Code.NUMBER_NOT_FINITE)


def _object(pairs: _Pairs, pointer: str, problems: list[Problem]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for key, value in pairs:
        unsound = _UNSOUND_CHARACTER.search(key)
        if unsound:
            # The name itself cannot be told back, so the problem stands at the object that holds it.
            problems.append(_unsound_character(unsound.group(), pointer))
            continue
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        if key in fields:
            problems.append(problem(Code.DUPLICATE_KEY, place))
            fields[key] = UNSOUND
        else:
            fields[key] = _sound(value, place, problems)
    return fields


def _sound(value: object, pointer: str, problems: list[Problem]) -> object:
    if isinstance(value, _Pairs):
        return _object(value, pointer, problems)
    if isinstance(value, list):
        return [_sound(item, f"{pointer}/{index}", problems) for index, item in enumerate(value)]
    if isinstance(value, str):
        unsound = _UNSOUND_CHARACTER.search(value)
        if unsound is None:
            return value
        problems.append(_unsound_character(unsound.group(), pointer))
        return UNSOUND
    if isinstance(value, _BadNumber):
        problems.append(problem(value.code, pointer, number_max=INTEGER_MAX))
        return UNSOUND
    return value


def _unsound_character(character: str, pointer: str) -> Problem:
    surrogate = "\ud800" <= character <= "\udfff"
    code = Code.LONE_SURROGATE if surrogate else Code.CONTROL_CHARACTER
    return problem(code, pointer, character=f"U+{ord(character):04X}")
