"""What is wrong with input is said in our words, in both languages alike, and without repeating what was sent."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field, ValidationError, field_validator

from shared.inputs import INPUTS, InputCode, input_problem, refused
from shared.problems import Problem


class Form(BaseModel):
    """Fields of every sort that the doors read."""

    name: Annotated[str, Field(min_length=2, max_length=5, pattern=r"^[^\x00-\x1f]+$")] = "name"
    count: Annotated[int, Field(ge=1, le=200)] = 1
    day: Annotated[date, Field(ge=date(1900, 1, 1))] = date(2026, 1, 1)
    at: AwareDatetime | None = None
    is_wanted: bool = True
    kind: Literal["paper", "electronic"] = "paper"
    ids: Annotated[tuple[UUID, ...], Field(max_length=1)] = ()
    inner: "Form | None" = None
    address: str | None = None

    @field_validator("address")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if "@" not in value:
            raise refused("宛先ではありません。", "This is no address.")
        return value


def told(sent: Any, where: str = "body") -> Problem:
    """The one problem of this input, and that it is nothing of the library's."""
    with pytest.raises(ValidationError) as refusal:
        Form.model_validate(sent)
    (error,) = refusal.value.errors()
    problem = input_problem({**error, "loc": (where, *error["loc"])})
    assert error["type"] == "told" or error["msg"] not in problem.message_en
    return problem


@pytest.mark.parametrize(
    ("field", "sent", "ja", "en"),
    [
        ("name", "x", "2文字以上で指定してください。", "It must have 2 characters or more."),
        ("name", "secret", "5文字以内で指定してください。", "It must have 5 characters or fewer."),
        (
            "name",
            "a\x01b",
            "形式が違うか、使えない文字があります。",
            "It has another form than is asked for, or a character that is not taken.",
        ),
        ("name", 7, "文字列で指定してください。", "It must be text."),
        ("count", "many", "整数で指定してください。", "It must be a whole number."),
        ("count", 1.5, "整数で指定してください。", "It must be a whole number."),
        ("count", 0, "1以上で指定してください。", "It must be 1 or more."),
        ("count", 201, "200以下で指定してください。", "It must be 200 or less."),
        ("day", "soon", "日付は2026-01-20のように指定してください。", "It must be a day, such as 2026-01-20."),
        ("day", date(1, 1, 1), "1900-01-01以上で指定してください。", "It must be 1900-01-01 or more."),
        (
            "at",
            datetime(2026, 1, 1),  # noqa: DTZ001 - the missing offset is what is wrong with it.
            "日時は2026-01-20T09:00:00+09:00のように指定してください。",
            "It must be a time, such as 2026-01-20T09:00:00+09:00.",
        ),
        ("is_wanted", "perhaps", "trueまたはfalseで指定してください。", "It must be true or false."),
        ("kind", "clay", "次のいずれかを指定してください: paper, electronic", "It must be one of: paper, electronic"),
        ("inner", 3, "JSONオブジェクトで指定してください。", "It must be a JSON object."),
        ("address", "here", "宛先ではありません。", "This is no address."),
    ],
)
def test_a_wrong_value_is_told_with_what_would_be_right(field: str, sent: Any, ja: str, en: str) -> None:
    problem, parameter = told({field: sent}), told({field: sent}, "query")

    assert problem == Problem(code="field_invalid", pointer=f"/{field}", message_ja=ja, message_en=en)
    assert parameter.code == "parameter_invalid"
    assert (parameter.message_ja, parameter.message_en) == (
        f"パラメータ「{field}」の指定を確認してください。{ja}",
        f"Check the parameter {field}. {en}",
    )


def test_what_is_not_known_is_told_in_both_languages_all_the_same() -> None:
    problem = input_problem({"type": "value_error", "loc": ("body", "a/b", 0), "msg": "Value error, hush", "ctx": {}})

    assert (problem.code, problem.pointer) == ("field_invalid", "/a~1b/0")
    assert problem.message_en == "This value cannot be taken. Check it."
    assert problem.message_ja == "この値は指定できません。値を確認してください。"


def test_what_is_missing_and_what_is_no_json_have_codes_of_their_own() -> None:
    missing = {"type": "missing", "loc": ("body", "viewer"), "msg": "x"}
    broken = {"type": "json_invalid", "loc": ("body", 3), "msg": "x", "ctx": {"error": "EOF while parsing"}}

    assert (input_problem(missing).code, input_problem(missing).pointer) == ("field_missing", "/viewer")
    assert (input_problem(broken).code, input_problem(broken).pointer) == ("json_invalid", "")
    assert (
        input_problem({**missing, "loc": ("query", "viewer")}).message_en
        == "Check the parameter viewer. It is required."
    )


def test_every_code_is_a_sentence_in_both_languages() -> None:
    assert set(INPUTS) == set(InputCode)
    for said in INPUTS.values():
        assert re.sub(r"\{\w+\}", "x", said.ja)
        assert re.sub(r"\{\w+\}", "x", said.en)
