"""What is wrong with input that a route reads by its signature: parameters, and the small bodies of wishes.

It is said in our words and in both languages, and never repeats what was sent. Applications and changes are read and
judged field by field elsewhere, with a catalogue of their own.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic_core import PydanticCustomError

from shared.problems import Problem


class InputCode(StrEnum):
    """The names of all that can be wrong with such input."""

    JSON_INVALID = "json_invalid"
    PARAMETER_INVALID = "parameter_invalid"
    FIELD_MISSING = "field_missing"
    FIELD_INVALID = "field_invalid"


class Wording(NamedTuple):
    """What is said, with words in braces that the occurrence fills in."""

    ja: str
    en: str


INPUTS: Final[dict[InputCode, Wording]] = {
    InputCode.JSON_INVALID: Wording("JSONとして読めません。", "This is not JSON."),
    InputCode.PARAMETER_INVALID: Wording(
        "パラメータ「{name}」の指定を確認してください。{reason}", "Check the parameter {name}. {reason}"
    ),
    InputCode.FIELD_MISSING: Wording("この項目は必須です。", "This field is required."),
    InputCode.FIELD_INVALID: Wording("{reason}", "{reason}"),
}

_TOLD: Final = "told"
_WHOLE_NUMBER: Final = Wording("整数で指定してください。", "It must be a whole number.")
_DAY: Final = Wording("日付は2026-01-20のように指定してください。", "It must be a day, such as 2026-01-20.")
_TIME: Final = Wording(
    "日時は2026-01-20T09:00:00+09:00のように指定してください。", "It must be a time, such as 2026-01-20T09:00:00+09:00."
)
_TRUTH: Final = Wording("trueまたはfalseで指定してください。", "It must be true or false.")
_OBJECT: Final = Wording("JSONオブジェクトで指定してください。", "It must be a JSON object.")
_LIST: Final = Wording("配列で指定してください。", "It must be a list.")
_CHOICE: Final = Wording("次のいずれかを指定してください: {expected}", "It must be one of: {expected}")
_UUID: Final = Wording("UUIDで指定してください。", "It must be a UUID.")

_REASONS: Final[Mapping[str, Wording]] = {
    _TOLD: Wording("{ja}", "{en}"),
    "missing": Wording("指定してください。", "It is required."),
    "string_type": Wording("文字列で指定してください。", "It must be text."),
    "string_too_short": Wording(
        "{min_length}文字以上で指定してください。", "It must have {min_length} characters or more."
    ),
    "string_too_long": Wording(
        "{max_length}文字以内で指定してください。", "It must have {max_length} characters or fewer."
    ),
    "string_pattern_mismatch": Wording(
        "形式が違うか、使えない文字があります。",
        "It has another form than is asked for, or a character that is not taken.",
    ),
    "too_short": Wording("{min_length}件以上指定してください。", "It must hold {min_length} items or more."),
    "too_long": Wording("{max_length}件以内で指定してください。", "It must hold {max_length} items or fewer."),
    "greater_than_equal": Wording("{ge}以上で指定してください。", "It must be {ge} or more."),
    "less_than_equal": Wording("{le}以下で指定してください。", "It must be {le} or less."),
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE_NUMBER),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DAY),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), _TIME),
    **dict.fromkeys(("bool_type", "bool_parsing"), _TRUTH),
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), _OBJECT),
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
    **dict.fromkeys(("enum", "literal_error"), _CHOICE),
    **dict.fromkeys(("uuid_type", "uuid_parsing"), _UUID),
}
"""By what pydantic calls it: its own sentences are in one language, and are not ours to keep as they are."""

_UNTAKEN: Final = Wording("この値は指定できません。値を確認してください。", "This value cannot be taken. Check it.")


def refused(ja: str, en: str) -> PydanticCustomError:
    """What a validator raises to refuse a value in its own words."""
    return PydanticCustomError(_TOLD, "{en}", {"ja": ja, "en": en})


def input_problem(error: Mapping[str, Any]) -> Problem:
    """Tell one error of pydantic, whose `loc` begins with where the input was found (body, query, path …)."""
    where, *path = [str(part) for part in error["loc"]] or ["body"]
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    if error["type"] == "json_invalid":
        return _problem(InputCode.JSON_INVALID, "", error)
    if where != "body":
        return _problem(InputCode.PARAMETER_INVALID, pointer, error, ".".join(path))
    is_missing = error["type"] == "missing"
    return _problem(InputCode.FIELD_MISSING if is_missing else InputCode.FIELD_INVALID, pointer, error)


def _problem(code: InputCode, pointer: str, error: Mapping[str, Any], name: str = "") -> Problem:
    said, reason = INPUTS[code], _REASONS.get(error["type"], _UNTAKEN)
    words = {word: _shown(value) for word, value in error.get("ctx", {}).items()}
    return Problem(
        code=code.value,
        pointer=pointer,
        message_ja=said.ja.format(name=name, reason=reason.ja.format(**words)),
        message_en=said.en.format(name=name, reason=reason.en.format(**words)),
    )


def _shown(value: object) -> str:
    """A word of pydantic's; of choices it tells as "'a', 'b' or 'c'" the names alone."""
    return str(value).replace("' or '", "', '").replace("'", "")
