"""The whole application form (申込), as the published `application.json`: every field of it, typed and bounded.

Fields that may be null may be left out; every other field must be there. Fields that are not in the form are ignored
here and kept with the original bytes. Each field's title is its name on the Japanese form.
Source: the flyer's application page (申込作成).
"""

import re
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema

from services.intake.domain.catalogue import Code
from services.intake.domain.dates import YEAR_MAX, YEAR_MIN
from services.intake.domain.fields import (
    CompletionMail,
    Day,
    GuaranteeNumber,
    Id,
    Line,
    LineOrNull,
    Moment,
    Part,
    PortalName,
    of_shape,
    refusal,
)
from services.intake.domain.obligees import OBLIGEE_NAME_CHARS_MAX, WorksKind

CODE_CHARS_MAX = 40
CUSTOMER_NUMBER_CHARS_MAX = 32
NAME_CHARS_MAX = 200
PROJECT_NAME_CHARS_MAX = 200
OFFICE_CHARS_MAX = 100
DEPOSITORY_CHARS_MAX = 100
PHONE_CHARS_MAX = 30
MESSAGE_CHARS_MAX = 2_000
GUARANTEES_MAX = 10

_OBLIGEE_CODE: Final = re.compile(r"[0-9]{6}")


class Kind(StrEnum):
    """保証種類."""

    ADVANCE_PAYMENT = "advance_payment"
    INTERIM_ADVANCE_PAYMENT = "interim_advance_payment"
    CONTRACT_PERFORMANCE = "contract_performance"


class CertificateForm(StrEnum):
    """保証証書の形式: 証書(紙) or 電子保証(認証キーを含む)."""

    PAPER = "paper"
    ELECTRONIC = "electronic"


def _year(year: int | None) -> int | None:
    if year is not None and not YEAR_MIN <= year <= YEAR_MAX:
        raise refusal(Code.YEAR_OUT_OF_RANGE, year_min=YEAR_MIN, year_max=YEAR_MAX)
    return year


class Contractor(Part):
    """請負契約者. With a JV it is the representative; the portal vouches for it by its customer number."""

    customer_number: Annotated[str, Field(title="お客様番号", max_length=CUSTOMER_NUMBER_CHARS_MAX), Line]
    name: Annotated[str, Field(title="請負契約者", max_length=NAME_CHARS_MAX), Line]
    jv_name: Annotated[str | None, Field(title="JV名", max_length=NAME_CHARS_MAX), LineOrNull] = None


class Contract(Part):
    """請負工事の情報. Money is whole yen."""

    obligee_code: Annotated[
        str,
        AfterValidator(of_shape(_OBLIGEE_CODE, "半角数字6桁です。", "six digits.")),
        WithJsonSchema({"type": "string", "pattern": "^[0-9]{6}$", "examples": ["222062"]}),
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
    earlier_guarantee_number: Annotated[GuaranteeNumber | None, Field(title="先の前払金保証の保証契約番号")] = None
    interim_approval: Annotated[bool | None, Field(title="中間前払金の認定")] = None


class Contact(Part):
    """連絡先."""

    department: Annotated[str | None, Field(title="担当部署", max_length=NAME_CHARS_MAX), LineOrNull] = None
    title: Annotated[str | None, Field(title="役職", max_length=NAME_CHARS_MAX), LineOrNull] = None
    name: Annotated[str, Field(title="担当者名", max_length=NAME_CHARS_MAX), Line]
    phone: Annotated[str, Field(title="連絡先電話番号", max_length=PHONE_CHARS_MAX), Line]


class Application(Part):
    """申込: one contract, one contractor, and the guarantees applied for."""

    application_id: Annotated[Id, Field(title="申込番号")]
    portal: Annotated[PortalName, Field(title="送信元")]
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
