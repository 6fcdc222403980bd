"""What the fields of all forms are made of: texts, days, instants and names, typed and bounded, nothing coerced.

"50000000" is no number, true is not 1 and 5e7 is not yen. A field that cannot be read stays unset on its part, and
whoever asks for it gets `Unread`.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from services.intake.domain.catalogue import Code
from services.intake.domain.dates import (
    YEAR_MAX,
    YEAR_MIN,
    ImpossibleDate,
    NotADate,
    YearOutOfRange,
    read_date,
    read_moment,
)
from shared.messages.moments import told

ID_CHARS_MAX = 64
PORTAL_CHARS_MAX = 32
ADDRESS_CHARS_KEPT_MAX = 1_000
"""What may stand in the address field at all; whether it is an address is judged only if a mail is wished."""

_LINE_BREAK: Final = re.compile(r"[\t\n\r\u2028\u2029]")
ID_SHAPE: Final = re.compile(rf"(?!\.{{1,2}}$)[!-~]{{1,{ID_CHARS_MAX}}}")
PORTAL_SHAPE: Final = re.compile(rf"[a-z0-9-]{{1,{PORTAL_CHARS_MAX}}}")
GUARANTEE_NUMBER_SHAPE: Final = re.compile(r"[0-9]{5}-[0-9]{6}")


class Unread(AttributeError):
    """A field that could not be read was asked for; whatever needs it cannot be judged, and its problem is told."""


class Part(BaseModel):
    """A part of a form. Asking it for a field that could not be read raises `Unread`, never gives a stand-in."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Only called for what is not there: a field of the form is unread, everything else a mistake."""
            if name in type(self).model_fields:
                raise Unread(name)
            return super().__getattr__(name)


def refusal(code: Code, **words: object) -> PydanticCustomError:
    """What a field's validator raises: the code of its problem and the words of its wording."""
    return PydanticCustomError("refused", "refused", {"code": code, "words": words})


def of_shape(shape: re.Pattern[str], expected_ja: str, expected_en: str) -> Callable[[str], str]:
    """A validator that takes only texts of this shape."""

    def check(text: str) -> str:
        if shape.fullmatch(text) is None:
            raise refusal(Code.MALFORMED, expected_ja=expected_ja, expected_en=expected_en)
        return text

    return check


def _one_line(text: str) -> str:
    if not text.strip():
        raise refusal(Code.BLANK)
    if _LINE_BREAK.search(text):
        raise refusal(Code.LINE_BREAK)
    return text


def _one_line_or_null(text: str | None) -> str | None:
    # An empty field of a form often arrives as "", which says the same as null.
    return _one_line(text) if text else None


def _dated(read: Callable[[str], object], not_that_shape: Code) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str):
            raise refusal(Code.NOT_TEXT)
        try:
            return read(value)
        except NotADate:
            raise refusal(not_that_shape) from None
        except ImpossibleDate:
            raise refusal(Code.IMPOSSIBLE_DATE) from None
        except YearOutOfRange:
            raise refusal(Code.YEAR_OUT_OF_RANGE, year_min=YEAR_MIN, year_max=YEAR_MAX) from None

    return check


def _shown(shape: re.Pattern[str], example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{shape.pattern}$", "examples": [example]})


Line = AfterValidator(_one_line)
LineOrNull = AfterValidator(_one_line_or_null)
Day = Annotated[
    date,
    BeforeValidator(_dated(read_date, Code.NOT_A_DATE)),
    WithJsonSchema(
        {"type": "string", "description": "ISO 8601 or 和暦", "examples": ["2026-01-05", "令和8年1月5日", "R8.1.5"]},
        mode="validation",
    ),
]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_dated(read_moment, Code.NOT_A_TIME)),
    PlainSerializer(told, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-15T09:30:00+09:00"]}),
]
Id = Annotated[
    str,
    AfterValidator(of_shape(ID_SHAPE, "半角の英数字・記号で64文字以内です。", "1 to 64 of ! to ~.")),
    _shown(ID_SHAPE, "A-2026-000123"),
]
PortalName = Annotated[
    str,
    AfterValidator(of_shape(PORTAL_SHAPE, "半角の英小文字・数字・ハイフンです。", "a to z, 0 to 9 and hyphen.")),
    _shown(PORTAL_SHAPE, "portal-a"),
]
GuaranteeNumber = Annotated[
    str,
    AfterValidator(of_shape(GUARANTEE_NUMBER_SHAPE, "00000-000000の形です。", "digits such as 00000-000000.")),
    _shown(GUARANTEE_NUMBER_SHAPE, "00000-000001"),
]


class CompletionMail(Part):
    """電子保証発行完了のお知らせ: 希望する or 希望しない."""

    wanted: Annotated[bool, Field(title="お知らせの希望")]
    address: Annotated[str | None, Field(title="メールアドレス", max_length=ADDRESS_CHARS_KEPT_MAX)] = None
