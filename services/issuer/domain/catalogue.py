"""Every code the issuer can answer with, and what it says in Japanese and in English. Served as `GET /v1/problems`.

Words in braces are filled in when the problem is told. A code is never renamed: portals branch on it. Where the door
judges the same rule on an application, the code is the same.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from shared.problems import Problem


class Code(StrEnum):
    """The names of all problems and remarks of this service."""

    GUARANTEE_UNKNOWN = "guarantee_unknown"
    GUARANTEE_NOT_ACTIVE = "guarantee_not_active"
    GUARANTEE_TERMINATED = "guarantee_terminated"
    CHANGE_IN_PROGRESS = "change_in_progress"
    REFUSED_VERSION_UNMENDED = "refused_version_unmended"
    STALE_VERSION = "stale_version"
    CHANGES_NOTHING = "changes_nothing"
    NOTHING_TO_CANCEL = "nothing_to_cancel"
    CHANGE_ID_TAKEN = "change_id_taken"

    OBLIGEE_NOT_ELECTRONIC_ON_DATE = "obligee_not_electronic_on_date"
    NOT_POSITIVE = "not_positive"
    AMOUNT_OVER_BASE = "amount_over_base"
    FISCAL_YEAR_AMOUNT_OVER_PRICE = "fiscal_year_amount_over_price"
    FISCAL_YEAR_OUTSIDE_WORKS = "fiscal_year_outside_works"
    WORKS_END_BEFORE_START = "works_end_before_start"
    CONTRACT_AFTER_WORKS = "contract_after_works"
    ADVANCE_NOT_PAID_BELOW_PRICE = "advance_not_paid_below_price"
    ADVANCE_OVER_MAXIMUM = "advance_over_maximum"
    INTERIM_OVER_MAXIMUM = "interim_over_maximum"
    TOGETHER_OVER_MAXIMUM = "together_over_maximum"
    PERFORMANCE_UNDER_MINIMUM = "performance_under_minimum"
    DEPOSITORY_ONLY_ON_ADVANCE = "depository_only_on_advance"

    EARLIER_GUARANTEE_UNKNOWN = "earlier_guarantee_unknown"
    EARLIER_GUARANTEE_NOT_ADVANCE = "earlier_guarantee_not_advance"
    EARLIER_GUARANTEE_NOT_ACTIVE = "earlier_guarantee_not_active"

    REFUSED_BY_PLATFORM = "refused_by_platform"
    MAIL_ADDRESS_NEEDED = "mail_address_needed"

    SIBLING_BELOW_MINIMUM = "sibling_below_minimum"


class Wording(NamedTuple):
    """What a code says, with words in braces that the occurrence fills in."""

    ja: str
    en: str


CATALOGUE: Final[dict[Code, Wording]] = {
    Code.GUARANTEE_UNKNOWN: Wording(
        "この保証契約番号のご契約が見つかりません。番号とお客様番号を確認してください。",
        "There is no such guarantee of this customer. Check the number.",
    ),
    Code.GUARANTEE_NOT_ACTIVE: Wording(
        "この保証はまだ有効になっていないため、変更できません(手続状況: {status_ja})。",
        "This guarantee is not active, so it cannot be changed (status: {status}).",
    ),
    Code.GUARANTEE_TERMINATED: Wording(
        "この保証は解約済のため、変更できません。", "This guarantee is terminated; nothing about it can be changed."
    ),
    Code.CHANGE_IN_PROGRESS: Wording(
        "前のお手続きの電子証書を送信中です。発行が完了してから、もう一度お申し込みください。",
        "An earlier version is still on its way. Send the change again when it is issued.",
    ),
    Code.REFUSED_VERSION_UNMENDED: Wording(
        "前の電子証書を弊社で確認中です。対応が終わるまで、変更をお受けできません。",
        "The platform refused the last version; the office mends it by a correction first.",
    ),
    Code.STALE_VERSION: Wording(
        "変更のもとになる版({base_version})が最新ではありません。最新の内容(版{version})を確認してください。",
        "The change is based on version {base_version}, but the latest one is {version}. Read it and send anew.",
    ),
    Code.CHANGES_NOTHING: Wording("変更内容がありません。", "The change changes nothing."),
    Code.NOTHING_TO_CANCEL: Wording(
        "取り消せる変更がありません。", "The version in force did not come by a change, so there is none to cancel."
    ),
    Code.CHANGE_ID_TAKEN: Wording(
        "この変更番号は別の内容で受付済です。", "This change id was taken with other content. The first one stands."
    ),
    Code.OBLIGEE_NOT_ELECTRONIC_ON_DATE: Wording(
        "{obligee_name}の電子保証の対象は{since}以降に{basis_ja}案件です。この内容では電子保証にできません。",
        "Electronic guarantees for this obligee are for contracts {basis_en} on or after {since}.",
    ),
    Code.NOT_POSITIVE: Wording("「{label}」は1円以上にしてください。", "{field} must be at least 1 yen."),
    Code.AMOUNT_OVER_BASE: Wording(
        "保証金額が{base_ja}({base}円)を超えています。", "The amount exceeds its base of {base} yen ({base_en})."
    ),
    Code.FISCAL_YEAR_AMOUNT_OVER_PRICE: Wording(
        "今年度対象額が請負金額({price}円)を超えています。", "This year's amount exceeds the price of {price} yen."
    ),
    Code.FISCAL_YEAR_OUTSIDE_WORKS: Wording(
        "今年度対象額の年度({fiscal_year}年度)が契約日から工期末までの年度に含まれません。",
        "The fiscal year {fiscal_year} of this year's amount lies outside contract and works.",
    ),
    Code.WORKS_END_BEFORE_START: Wording(
        "工期の終わりが始まり({works_from})より前です。", "The works end before they start ({works_from})."
    ),
    Code.CONTRACT_AFTER_WORKS: Wording(
        "契約日が工期の終わり({works_until})より後です。",
        "The contract date is after the end of works ({works_until}).",
    ),
    Code.ADVANCE_NOT_PAID_BELOW_PRICE: Wording(
        "{obligee_name}は、請負金額{minimum}円以上の契約に限り前払金を支払います。",
        "This obligee pays an advance only on contracts of at least {minimum} yen.",
    ),
    Code.ADVANCE_OVER_MAXIMUM: Wording(
        "前払金保証金額は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "The advance payment may be at most {maximum} yen ({percent} % of {base} yen).",
    ),
    Code.INTERIM_OVER_MAXIMUM: Wording(
        "中間前払金保証金額は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "The interim advance payment may be at most {maximum} yen ({percent} % of {base} yen).",
    ),
    Code.TOGETHER_OVER_MAXIMUM: Wording(
        "前払金と中間前払金の保証金額の合計({together}円)は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "Advance and interim advance payments ({together} yen) may be at most {maximum} yen"
        " ({percent} % of {base} yen) together.",
    ),
    Code.PERFORMANCE_UNDER_MINIMUM: Wording(
        "契約保証金額は{minimum}円(請負金額{price}円の{percent}%)以上にしてください。",
        "The performance guarantee must be at least {minimum} yen ({percent} % of {price} yen).",
    ),
    Code.DEPOSITORY_ONLY_ON_ADVANCE: Wording(
        "「預託金融機関」は前払金保証だけの項目です。", "depository belongs to advance payments only."
    ),
    Code.EARLIER_GUARANTEE_UNKNOWN: Wording(
        "先の前払金保証(保証契約番号)がこのお客様のご契約に見つかりません。番号を確認してください。",
        "There is no earlier guarantee of this customer with this number.",
    ),
    Code.EARLIER_GUARANTEE_NOT_ADVANCE: Wording(
        "先の保証は前払金保証ではありません。前払金保証の保証契約番号を入力してください。",
        "The earlier guarantee is not one of an advance payment.",
    ),
    Code.EARLIER_GUARANTEE_NOT_ACTIVE: Wording(
        "先の前払金保証が有効ではありません(手続状況: {status_ja})。", "The earlier guarantee is not active ({status})."
    ),
    Code.REFUSED_BY_PLATFORM: Wording(
        "電子証書がプラットフォームで受け付けられませんでした。弊社で対応しますので、お待ちください。",
        "The platform refused the certificate. The guarantor's office is dealing with it; please wait.",
    ),
    Code.MAIL_ADDRESS_NEEDED: Wording("メールアドレスを入力してください。", "No address is known; give one."),
    Code.SIBLING_BELOW_MINIMUM: Wording(
        "契約保証({performance_number})の保証金額{amount}円が、{product_name}({number})の請負金額{price}円に対する"
        "最低額{minimum}円を下回っています。契約保証の変更もお申し込みください。",
        "The performance guarantee {performance_number} of {amount} yen is below {minimum} yen, the minimum for the"
        " price of {price} yen of guarantee {number}. Apply for its change as well.",
    ),
}

_YEN: Final = frozenset({"base", "price", "maximum", "minimum", "together", "amount"})


def problem(code: Code, pointer: str = "", **words: object) -> Problem:
    """Tell one problem or remark at one place. `words` fill the braces of its wording; yen get commas."""
    shown = {name: f"{word:,}" if name in _YEN else str(word) for name, word in words.items()}
    wording = CATALOGUE[code]
    return Problem(
        code=code.value,
        pointer=pointer,
        message_ja=wording.ja.format(**shown),
        message_en=wording.en.format(**shown),
    )
