"""The form of a change, as the published `change.json`.

A 変更 brings new values beside its head (`price` …), null or left out for what stays as it is. A 訂正 brings the
corrected fields in `corrections`. The other two bring nothing but their reason.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field

from services.intake.domain.fields import CompletionMail, Day, GuaranteeNumber, Id, LineOrNull, Moment, Part
from services.intake.domain.fields import PortalName as Portal
from services.intake.domain.form import (
    CUSTOMER_NUMBER_CHARS_MAX,
    DEPOSITORY_CHARS_MAX,
    NAME_CHARS_MAX,
    PROJECT_NAME_CHARS_MAX,
)

REASON_CHARS_MAX = 1_000


class VersionKind(StrEnum):
    """対象: what kind of version is asked for. 新規 is made by applications only."""

    CHANGE = "change"
    CORRECTION = "correction"
    CHANGE_CANCELLATION = "change_cancellation"
    TERMINATION = "termination"


class Corrections(Part):
    """What can be corrected: everything on the certificate but its obligee, for another obligee is another contract.

    A field that is left out is not corrected. Null is a value here: no JV, no amount for this year.
    """

    contractor_name: Annotated[str | None, Field(title="請負契約者", max_length=NAME_CHARS_MAX), LineOrNull] = None
    jv_name: Annotated[str | None, Field(title="JV名", max_length=NAME_CHARS_MAX), LineOrNull] = None
    project_name: Annotated[str | None, Field(title="工事名", max_length=PROJECT_NAME_CHARS_MAX), LineOrNull] = None
    contract_date: Annotated[Day | None, Field(title="契約日")] = None
    works_from: Annotated[Day | None, Field(title="工期(始まり)")] = None
    works_until: Annotated[Day | None, Field(title="工期(終わり)")] = None
    price: Annotated[int | None, Field(title="請負金額")] = None
    fiscal_year_amount: Annotated[int | None, Field(title="今年度対象額")] = None
    amount: Annotated[int | None, Field(title="保証金額")] = None
    depository: Annotated[str | None, Field(title="預託金融機関", max_length=DEPOSITORY_CHARS_MAX), LineOrNull] = None


MAY_BE_CORRECTED_TO_NULL: Final = frozenset({"jv_name", "fiscal_year_amount"})

_NO_CORRECTIONS: Final = Corrections()


class Change(Part):
    """One change that is asked for."""

    change_id: Annotated[Id, Field(title="変更番号")]
    portal: Annotated[Portal, Field(title="送信元")]
    submitted_at: Annotated[Moment, Field(title="送信日時")]
    customer_number: Annotated[
        str | None, Field(title="お客様番号", max_length=CUSTOMER_NUMBER_CHARS_MAX), LineOrNull
    ] = None
    guarantee_number: Annotated[GuaranteeNumber, Field(title="保証契約番号")]
    base_version: Annotated[int, Field(title="もとになる版")]
    version_kind: Annotated[VersionKind, Field(title="対象", strict=False)]
    contract_date: Annotated[Day | None, Field(title="変更契約日")] = None
    price: Annotated[int | None, Field(title="請負金額")] = None
    fiscal_year_amount: Annotated[int | None, Field(title="今年度対象額")] = None
    amount: Annotated[int | None, Field(title="保証金額")] = None
    works_until: Annotated[Day | None, Field(title="工期(終わり)")] = None
    corrections: Annotated[Corrections, Field(title="訂正内容")] = _NO_CORRECTIONS
    reason: Annotated[str | None, Field(title="変更の理由", max_length=REASON_CHARS_MAX)] = None
    completion_mail: Annotated[CompletionMail, Field(title="電子保証発行完了のお知らせ")]

    @property
    def values(self) -> dict[str, int | date | None]:
        """The new values of a 変更, by field; None stays as it is."""
        return {name: getattr(self, name) for name in VALUES}


VALUES: Final = ("price", "fiscal_year_amount", "amount", "works_until")


def corrected(fields: dict[str, Any]) -> tuple[str, ...]:
    """The names that stand in `corrections` as it was sent, known or not."""
    corrections = fields.get("corrections")
    return tuple(corrections) if isinstance(corrections, dict) else ()
