"""The whole application form (申込), as the published `application.json`: every field of it, typed and bounded.

Fields that may be null may be left out; every other field must be there. Fields that are not in the form are ignored
here and kept with the original bytes. Nothing is coerced: "50000000" is no number, true is not 1 and 5e7 is not yen.
Each field's title is its name on the Japanese form. Source: the flyer's application page (申込作成).
"""

import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
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
from services.intake.domain.obligees import OBLIGEE_NAME_CHARS_MAX

APPLICATION_ID_CHARS_MAX = 64
PORTAL_CHARS_MAX = 32
CODE_CHARS_MAX = 40
CUSTOMER_NUMBER_CHARS_MAX = 32
NAME_CHARS_MAX = 200
PROJECT_NAME_CHARS_MAX = 200
OFFICE_CHARS_MAX = 100
DEPOSITORY_CHARS_MAX = 100
PHONE_CHARS_MAX = 30
MESSAGE_CHARS_MAX = 2_000
ADDRESS_CHARS_KEPT_MAX = 1_000
"""What may stand in the address field at all; whether it is an address is judged only if a mail is wished."""
GUARANTEES_MAX = 10

_LINE_BREAK: Final = re.compile(r"[\t\n\r\u2028\u2029]")
APPLICATION_ID_SHAPE: Final = re.compile(rf"(?!\.{{1,2}}$)[!-~]{{1,{APPLICATION_ID_CHARS_MAX}}}")
_PORTAL: Final = re.compile(rf"[a-z0-9-]{{1,{PORTAL_CHARS_MAX}}}")
_OBLIGEE_CODE: Final = re.compile(r"[0-9]{6}")
GUARANTEE_NUMBER_SHAPE: Final = re.compile(r"[0-9]{5}-[0-9]{6}")


class Kind(StrEnum):
    """保証種類."""

    ADVANCE_PAYMENT = "advance_payment"
    INTERIM_ADVANCE_PAYMENT = "interim_advance_payment"
    CONTRACT_PERFORMANCE = "contract_performance"


class CertificateForm(StrEnum):
    """保証証書の形式: 証書(紙) or 電子保証(認証キーを含む)."""

    PAPER = "paper"
    ELECTRONIC = "electronic"


class WorksKind(StrEnum):
    """Works (工事), or what the lower advance-payment limit holds for: design (設計) and survey (測量・調査)."""

    CONSTRUCTION = "construction"
    DESIGN = "design"
    SURVEY = "survey"


class Unread(AttributeError):
    """A field that could not be read was asked for; whatever needs it cannot be judged, and its problem is told."""


class Part(BaseModel):
    """A part of the form. Asking it for a field that could not be read raises `Unread`, never gives a stand-in."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Only called for what is not there: a field of the form is unread, everything else a mistake."""
            if name in type(self).model_fields:
                raise Unread(name)
            return super().__getattr__(name)


def _refusal(code: Code, **words: object) -> PydanticCustomError:
    return PydanticCustomError("refused", "refused", {"code": code, "words": words})


def _one_line(text: str) -> str:
    if not text.strip():
        raise _refusal(Code.BLANK)
    if _LINE_BREAK.search(text):
        raise _refusal(Code.LINE_BREAK)
    return text


def _one_line_or_null(text: str | None) -> str | None:
    # An empty field of a form often arrives as "", which says the same as null.
    return _one_line(text) if text else None


def _of_shape(shape: re.Pattern[str], expected_ja: str, expected_en: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if shape.fullmatch(text) is None:
            raise _refusal(Code.MALFORMED, expected_ja=expected_ja, expected_en=expected_en)
        return text

    return check


_number_shape = _of_shape(GUARANTEE_NUMBER_SHAPE, "00000-000000の形です。", "digits such as 00000-000000.")


def _dated(read: Callable[[str], object], not_that_shape: Code) -> Callable[[object], object]:
    def check(value: object) -> object:
        if not isinstance(value, str):
            raise _refusal(Code.NOT_TEXT)
        try:
            return read(value)
        except NotADate:
            raise _refusal(not_that_shape) from None
        except ImpossibleDate:
            raise _refusal(Code.IMPOSSIBLE_DATE) from None
        except YearOutOfRange:
            raise _refusal(Code.YEAR_OUT_OF_RANGE, year_min=YEAR_MIN, year_max=YEAR_MAX) from None

    return check


def _year(year: int | None) -> int | None:
    if year is not None and not YEAR_MIN <= year <= YEAR_MAX:
        raise _refusal(Code.YEAR_OUT_OF_RANGE, year_min=YEAR_MIN, year_max=YEAR_MAX)
    return year


Line = AfterValidator(_one_line)
LineOrNull = AfterValidator(_one_line_or_null)
Day = Annotated[date, BeforeValidator(_dated(read_date, Code.NOT_A_DATE))]
Moment = Annotated[AwareDatetime, BeforeValidator(_dated(read_moment, Code.NOT_A_TIME))]
ApplicationId = Annotated[
    str,
    AfterValidator(_of_shape(APPLICATION_ID_SHAPE, "半角の英数字・記号で64文字以内です。", "1 to 64 of ! to ~.")),
    Field(title="申込番号"),
]


class Contractor(Part):
    """請負契約者. With a JV it is the representative; the portal vouches for it by its customer number."""

    customer_number: Annotated[str, Field(title="お客様番号", max_length=CUSTOMER_NUMBER_CHARS_MAX), Line]
    name: Annotated[str, Field(title="請負契約者", max_length=NAME_CHARS_MAX), Line]
    jv_name: Annotated[str | None, Field(title="JV名", max_length=NAME_CHARS_MAX), LineOrNull] = None


class Contract(Part):
    """請負工事の情報. Money is whole yen."""

    obligee_code: Annotated[
        str,
        AfterValidator(_of_shape(_OBLIGEE_CODE, "半角数字6桁です。", "six digits.")),
        Field(title="発注者コード"),
    ]
    obligee_name: Annotated[str, Field(title="発注者名", max_length=OBLIGEE_NAME_CHARS_MAX), Line]
    project_name: Annotated[str, Field(title="工事名", max_length=PROJECT_NAME_CHARS_MAX), Line]
    works_kind: Annotated[WorksKind, Field(title="工事・業務の区分", strict=False)]
    tender_notice_date: Annotated[Day | None, Field(title="公告日")] = None
    contract_date: Annotated[Day, Field(title="契約日")]
    contract_date_planned: Annotated[bool, Field(title="契約日は予定")]
    works_from: Annotated[Day, Field(title="工期(始まり)")]
    works_until: Annotated[Day, Field(title="工期(終わり)")]
    price: Annotated[int, Field(title="請負金額")]
    fiscal_year_amount: Annotated[int | None, Field(title="今年度対象額")] = None
    fiscal_year: Annotated[int | None, AfterValidator(_year), Field(title="今年度対象額の年度")] = None
    advance_payment_planned: Annotated[bool, Field(title="前払金の予定")]
    low_bid: Annotated[bool, Field(title="低入札")]


class Guarantee(Part):
    """One line of the application: 前払金保証, 中間前払金保証 or 契約保証."""

    kind: Annotated[Kind, Field(title="保証種類", strict=False)]
    certificate_form: Annotated[CertificateForm, Field(title="保証証書の形式", strict=False)]
    amount: Annotated[int, Field(title="保証金額")]
    depository: Annotated[str | None, Field(title="預託金融機関", max_length=DEPOSITORY_CHARS_MAX), LineOrNull] = None
    redeposit: Annotated[bool | None, Field(title="再預託利用区分")] = None
    premium_payment_method: Annotated[str, Field(title="保証料支払方法", max_length=CODE_CHARS_MAX), Line]
    premium_billed_to: Annotated[str, Field(title="保証料請求先", max_length=NAME_CHARS_MAX), Line]
    paper_premium_statement: Annotated[bool, Field(title="保証料計算書(紙)")]
    earlier_guarantee_number: Annotated[
        str | None,
        AfterValidator(lambda text: text if text is None else _number_shape(text)),
        Field(title="先の前払金保証の保証契約番号"),
    ] = None
    interim_approval: Annotated[bool | None, Field(title="中間前払金の認定")] = None


class CompletionMail(Part):
    """電子保証発行完了のお知らせ: 希望する or 希望しない."""

    wanted: Annotated[bool, Field(title="お知らせの希望")]
    address: Annotated[str | None, Field(title="メールアドレス", max_length=ADDRESS_CHARS_KEPT_MAX)] = None


class Contact(Part):
    """連絡先."""

    department: Annotated[str | None, Field(title="担当部署", max_length=NAME_CHARS_MAX), LineOrNull] = None
    title: Annotated[str | None, Field(title="役職", max_length=NAME_CHARS_MAX), LineOrNull] = None
    name: Annotated[str, Field(title="担当者名", max_length=NAME_CHARS_MAX), Line]
    phone: Annotated[str, Field(title="連絡先電話番号", max_length=PHONE_CHARS_MAX), Line]


class Application(Part):
    """申込: one contract, one contractor, and the guarantees applied for."""

    application_id: ApplicationId
    portal: Annotated[
        str,
        AfterValidator(_of_shape(_PORTAL, "半角の英小文字・数字・ハイフンです。", "a to z, 0 to 9 and hyphen.")),
        Field(title="送信元"),
    ]
    submitted_at: Annotated[Moment, Field(title="送信日時")]
    receiving_office: Annotated[str, Field(title="申込送信先", max_length=OFFICE_CHARS_MAX), Line]
    paper_delivery: Annotated[str | None, Field(title="保証証書受取", max_length=CODE_CHARS_MAX), LineOrNull] = None
    contractor: Annotated[Contractor, Field(title="請負契約者")]
    contract: Annotated[Contract, Field(title="請負工事の情報")]
    guarantees: Annotated[tuple[Guarantee, ...], Field(title="保証の申込内容", max_length=GUARANTEES_MAX, strict=False)]
    completion_mail: Annotated[CompletionMail, Field(title="電子保証発行完了のお知らせ")]
    contact: Annotated[Contact, Field(title="連絡先")]
    message_to_guarantor: Annotated[
        str | None, Field(title="お客様から弊社への連絡事項", max_length=MESSAGE_CHARS_MAX)
    ] = None
