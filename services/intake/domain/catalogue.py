"""Every code intake can answer with, and what it says in Japanese and in English. Served as `GET /v1/problems`.

Words in braces are filled in when the problem is told. A code is never renamed: portals branch on it.
"""

from enum import StrEnum
from typing import NamedTuple

from shared.problems import Problem

POINTER_CHARS_MAX = 256
"""Longer pointers are cut to the nearest ancestor: the name of an unknown field is as long as its sender likes."""


class Code(StrEnum):
    """The names of all problems and remarks of this service."""

    BODY_TOO_LARGE = "body_too_large"
    BODY_NOT_UTF8 = "body_not_utf8"
    BODY_HAS_BOM = "body_has_bom"
    BODY_TOO_DEEP = "body_too_deep"
    BODY_NOT_JSON = "body_not_json"
    BODY_NOT_AN_OBJECT = "body_not_an_object"
    DUPLICATE_KEY = "duplicate_key"
    NUMBER_NOT_FINITE = "number_not_finite"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    CONTROL_CHARACTER = "control_character"
    LONE_SURROGATE = "lone_surrogate"
    TOO_MANY_PROBLEMS = "too_many_problems"

    MISSING = "missing"
    NOT_AN_OBJECT = "not_an_object"
    NOT_A_LIST = "not_a_list"
    TOO_MANY_ITEMS = "too_many_items"
    NOT_TEXT = "not_text"
    NOT_AN_INTEGER = "not_an_integer"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_ONE_OF = "not_one_of"
    TOO_LONG = "too_long"
    BLANK = "blank"
    LINE_BREAK = "line_break"
    MALFORMED = "malformed"
    NOT_A_DATE = "not_a_date"
    IMPOSSIBLE_DATE = "impossible_date"
    NOT_A_TIME = "not_a_time"
    YEAR_OUT_OF_RANGE = "year_out_of_range"

    PORTAL_MISMATCH = "portal_mismatch"
    NO_GUARANTEE = "no_guarantee"
    KIND_REPEATED = "kind_repeated"
    PERFORMANCE_WITHOUT_ADVANCE = "performance_without_advance"
    OBLIGEE_CODE_CHECK_DIGIT = "obligee_code_check_digit"
    OBLIGEE_NOT_ELECTRONIC = "obligee_not_electronic"
    OBLIGEE_NOT_ELECTRONIC_ON_DATE = "obligee_not_electronic_on_date"
    TENDER_NOTICE_DATE_NEEDED = "tender_notice_date_needed"
    NOT_POSITIVE = "not_positive"
    AMOUNT_OVER_BASE = "amount_over_base"
    FISCAL_YEAR_AMOUNT_OVER_PRICE = "fiscal_year_amount_over_price"
    FISCAL_YEAR_OUTSIDE_WORKS = "fiscal_year_outside_works"
    WORKS_END_BEFORE_START = "works_end_before_start"
    CONTRACT_AFTER_WORKS = "contract_after_works"
    ADVANCE_OVER_MAXIMUM = "advance_over_maximum"
    INTERIM_OVER_MAXIMUM = "interim_over_maximum"
    EARLIER_GUARANTEE_NUMBER_NEEDED = "earlier_guarantee_number_needed"
    INTERIM_APPROVAL_NEEDED = "interim_approval_needed"
    PERFORMANCE_UNDER_MINIMUM = "performance_under_minimum"
    DEPOSITORY_NEEDED = "depository_needed"
    DEPOSITORY_NOT_FULL_WIDTH = "depository_not_full_width"
    DEPOSITORY_ONLY_ON_ADVANCE = "depository_only_on_advance"
    MAIL_ADDRESS_NEEDED = "mail_address_needed"
    MAIL_ADDRESS_MALFORMED = "mail_address_malformed"

    APPLICATION_ID_TAKEN = "application_id_taken"
    CHANGES_NOT_OFFERED_YET = "changes_not_offered_yet"

    DEPOSITORY_NORMALISED = "depository_normalised"
    DEPOSITORY_SIGN_REPLACED = "depository_sign_replaced"
    NO_MAIL_FOR_PAPER = "no_mail_for_paper"


class Wording(NamedTuple):
    """What a code says, with words in braces that the occurrence fills in."""

    ja: str
    en: str


CATALOGUE: dict[Code, Wording] = {
    Code.BODY_TOO_LARGE: Wording(
        "送信データが大きすぎます({bytes_max}バイト以内)。", "The body is larger than {bytes_max} bytes."
    ),
    Code.BODY_NOT_UTF8: Wording(
        "文字コードがUTF-8ではありません。UTF-8で送信してください。", "The body is not UTF-8. Send UTF-8."
    ),
    Code.BODY_HAS_BOM: Wording(
        "先頭にBOMがあります。BOMなしのUTF-8で送信してください。",
        "The body begins with a byte order mark. Send UTF-8 without it (RFC 8259, section 8.1).",
    ),
    Code.BODY_TOO_DEEP: Wording(
        "入れ子が深すぎます({depth_max}段以内)。", "The body is nested deeper than {depth_max} levels."
    ),
    Code.BODY_NOT_JSON: Wording(
        "JSONとして読み取れません({line}行目{column}文字目)。",
        "The body is not JSON (line {line}, column {column}).",
    ),
    Code.BODY_NOT_AN_OBJECT: Wording("送信データはJSONオブジェクトにしてください。", "The body must be a JSON object."),
    Code.DUPLICATE_KEY: Wording(
        "同じ項目が二度あります。一つにしてください。", "This field stands there twice. Send it once."
    ),
    Code.NUMBER_NOT_FINITE: Wording(
        "数値として扱えない値です。数字で送信してください。", "This is not a finite number. Send digits."
    ),
    Code.NUMBER_OUT_OF_RANGE: Wording(
        "数値が大きすぎます(絶対値{number_max}以内)。", "The number is out of range (at most {number_max})."
    ),
    Code.CONTROL_CHARACTER: Wording(
        "使えない制御文字({character})が含まれています。取り除いてください。",
        "The text holds the control character {character}. Remove it.",
    ),
    Code.LONE_SURROGATE: Wording(
        "文字として成り立たない符号({character})が含まれています。取り除いてください。",
        "The text holds the lone surrogate {character}, which is no character. Remove it.",
    ),
    Code.TOO_MANY_PROBLEMS: Wording(
        "ほかにも{count}件の問題があります。まず上の問題を直してください。",
        "There are {count} more problems. Mend those above first.",
    ),
    Code.MISSING: Wording("「{label}」は必須です。", "{field} is required."),
    Code.NOT_AN_OBJECT: Wording("「{label}」はオブジェクトにしてください。", "{field} must be an object."),
    Code.NOT_A_LIST: Wording("「{label}」は配列にしてください。", "{field} must be a list."),
    Code.TOO_MANY_ITEMS: Wording(
        "「{label}」は{items_max}件以内にしてください。", "{field} takes at most {items_max}."
    ),
    Code.NOT_TEXT: Wording("「{label}」は文字列で送信してください。", "{field} must be a string."),
    Code.NOT_AN_INTEGER: Wording(
        "「{label}」は整数の数値で送信してください(引用符・小数点・指数なし)。",
        "{field} must be a whole number: no quotes, no fraction, no exponent.",
    ),
    Code.NOT_A_BOOLEAN: Wording("「{label}」はtrueまたはfalseにしてください。", "{field} must be true or false."),
    Code.NOT_ONE_OF: Wording(
        "「{label}」は次のいずれかにしてください: {allowed}。", "{field} must be one of: {allowed}."
    ),
    Code.TOO_LONG: Wording(
        "「{label}」は{chars_max}文字以内にしてください。", "{field} takes at most {chars_max} characters."
    ),
    Code.BLANK: Wording("「{label}」が空欄です。", "{field} is blank."),
    Code.LINE_BREAK: Wording("「{label}」に改行やタブは使えません。", "{field} takes no line breaks or tabs."),
    Code.MALFORMED: Wording("「{label}」の形式が違います。{expected_ja}", "{field} is malformed: {expected_en}"),
    Code.NOT_A_DATE: Wording(
        "「{label}」は2026-01-05、令和8年1月5日、R8.1.5のいずれかの形にしてください。",
        "{field} must be a date such as 2026-01-05, 令和8年1月5日 or R8.1.5.",
    ),
    Code.IMPOSSIBLE_DATE: Wording("「{label}」は実在しない日付です。", "{field} is a date that does not exist."),
    Code.NOT_A_TIME: Wording(
        "「{label}」は2026-01-15T09:30:00+09:00の形(時差つき)にしてください。",
        "{field} must be an RFC 3339 time with an offset, such as 2026-01-15T09:30:00+09:00.",
    ),
    Code.YEAR_OUT_OF_RANGE: Wording(
        "「{label}」の年は{year_min}年から{year_max}年までにしてください。",
        "The year of {field} must be from {year_min} to {year_max}.",
    ),
    Code.PORTAL_MISMATCH: Wording(
        "portalが送信元と一致しません({portal}で送信してください)。",
        "The portal is not the one this came from; it must be {portal}.",
    ),
    Code.NO_GUARANTEE: Wording(
        "前払金保証または契約保証を一つ以上選択してください。", "Apply for at least one guarantee."
    ),
    Code.KIND_REPEATED: Wording(
        "同じ種類の保証が二つあります。一つにしてください。", "This kind of guarantee is there already. Send each once."
    ),
    Code.PERFORMANCE_WITHOUT_ADVANCE: Wording(
        "契約保証は前払金保証の特約です。前払金の予定がない契約ではお申し込みいただけません。",
        "A performance guarantee is a rider: it needs a contract with a planned advance payment.",
    ),
    Code.OBLIGEE_CODE_CHECK_DIGIT: Wording(
        "発注者コードの検査数字が合いません。全国地方公共団体コード6桁を確認してください。",
        "The check digit of the obligee code is wrong. Check the six-digit local government code.",
    ),
    Code.OBLIGEE_NOT_ELECTRONIC: Wording(
        "{obligee_name}は電子保証対応の発注者として登録されていません。証書(紙)を選択してください。",
        "This obligee is not registered for electronic guarantees. Choose the paper certificate.",
    ),
    Code.OBLIGEE_NOT_ELECTRONIC_ON_DATE: Wording(
        "{obligee_name}の電子保証は{since_ja}以降に{basis_ja}案件が対象です。証書(紙)を選択してください。",
        "Electronic guarantees for this obligee start with contracts {basis_en} on or after {since}."
        " Choose the paper certificate.",
    ),
    Code.TENDER_NOTICE_DATE_NEEDED: Wording(
        "{obligee_name}の電子保証は公告日で判定します。公告日を入力するか、証書(紙)を選択してください。",
        "This obligee's electronic guarantees depend on the tender notice date."
        " Send it, or choose the paper certificate.",
    ),
    Code.NOT_POSITIVE: Wording("「{label}」は1円以上にしてください。", "{field} must be at least 1 yen."),
    Code.AMOUNT_OVER_BASE: Wording(
        "保証金額が{base_ja}({base}円)を超えています。", "The amount exceeds its base of {base} yen ({base_en})."
    ),
    Code.FISCAL_YEAR_AMOUNT_OVER_PRICE: Wording(
        "今年度対象額が請負金額({price}円)を超えています。", "This year's amount exceeds the price of {price} yen."
    ),
    Code.FISCAL_YEAR_OUTSIDE_WORKS: Wording(
        "今年度対象額の年度({fiscal_year}年度)が契約日から工期末までの年度に含まれません。年度を確認してください。",
        "The fiscal year {fiscal_year} of this year's amount lies outside contract and works. Send the right year.",
    ),
    Code.WORKS_END_BEFORE_START: Wording(
        "工期の終わりが始まり({works_from})より前です。", "The works end before they start ({works_from})."
    ),
    Code.CONTRACT_AFTER_WORKS: Wording(
        "契約日が工期の終わり({works_until})より後です。",
        "The contract date is after the end of works ({works_until}).",
    ),
    Code.ADVANCE_OVER_MAXIMUM: Wording(
        "前払金保証金額は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "The advance payment may be at most {maximum} yen ({percent} % of {base} yen).",
    ),
    Code.INTERIM_OVER_MAXIMUM: Wording(
        "中間前払金保証金額は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "The interim advance payment may be at most {maximum} yen ({percent} % of {base} yen).",
    ),
    Code.EARLIER_GUARANTEE_NUMBER_NEEDED: Wording(
        "中間前払金保証には、先の前払金保証の保証契約番号が必要です。",
        "An interim advance payment needs the number of the earlier advance payment guarantee.",
    ),
    Code.INTERIM_APPROVAL_NEEDED: Wording(
        "中間前払金保証には、発注者の認定が必要です。",
        "An interim advance payment needs the obligee's approval (認定).",
    ),
    Code.PERFORMANCE_UNDER_MINIMUM: Wording(
        "契約保証金額は{minimum}円(請負金額{price}円の{percent}%)以上にしてください。",
        "The performance guarantee must be at least {minimum} yen ({percent} % of {price} yen).",
    ),
    Code.DEPOSITORY_NEEDED: Wording("預託金融機関を入力してください。", "The depository is required here."),
    Code.DEPOSITORY_NOT_FULL_WIDTH: Wording(
        "預託金融機関は全角(JIS X 0208)で入力してください。使えない文字: {characters_ja}。",
        "The depository takes full-width characters (JIS X 0208) only. Not taken: {characters_en}.",
    ),
    Code.DEPOSITORY_ONLY_ON_ADVANCE: Wording(
        "「{label}」は前払金保証だけの項目です。空欄にしてください。",
        "{field} belongs to advance payments only. Leave it out.",
    ),
    Code.MAIL_ADDRESS_NEEDED: Wording(
        "お知らせを希望する場合は、メールアドレスを入力してください。", "A completion mail needs an address."
    ),
    Code.MAIL_ADDRESS_MALFORMED: Wording(
        "メールアドレスの形式が違います。", "This is not a mail address we can send to."
    ),
    Code.APPLICATION_ID_TAKEN: Wording(
        "この申込番号は別の内容で受付済です。", "This application id was accepted with other content."
    ),
    Code.CHANGES_NOT_OFFERED_YET: Wording(
        "変更のお申し込みはまだ受け付けていません。営業部・支店へお問い合わせください。",
        "Changes are not offered yet. Ask the office.",
    ),
    Code.DEPOSITORY_NORMALISED: Wording(
        "預託金融機関の{changed_ja}を全角にしました。", "The {changed_en} in the depository {was} made full-width."
    ),
    Code.DEPOSITORY_SIGN_REPLACED: Wording(
        "預託金融機関の{changed_ja}をJIS X 0208の文字に置き換えました。",
        "The {changed_en} in the depository {was} replaced by its JIS X 0208 twin.",
    ),
    Code.NO_MAIL_FOR_PAPER: Wording(
        "証書(紙)だけのお申し込みのため、電子保証発行完了のお知らせは送信しません。",
        "There are only paper lines, so no completion mail will be sent.",
    ),
}


def problem(code: Code, pointer: str, **words: object) -> Problem:
    """Tell one problem or remark at one place. `words` fill the braces of its wording; integers get commas."""
    shown = {name: f"{word:,}" if name in _YEN else str(word) for name, word in words.items()}
    wording = CATALOGUE[code]
    return Problem(
        code=code.value,
        pointer=bounded(pointer),
        message_ja=wording.ja.format(**shown),
        message_en=wording.en.format(**shown),
    )


_YEN = frozenset({"base", "price", "maximum", "minimum", "number_max", "bytes_max"})


def bounded(pointer: str) -> str:
    """The pointer, or its nearest ancestor that is not longer than `POINTER_CHARS_MAX`."""
    while len(pointer) > POINTER_CHARS_MAX:
        pointer = pointer.rpartition("/")[0]
    return pointer
