"""What is wrong with a single field: missing, of a wrong type, too long, no date. Nothing is coerced."""

from typing import Final

from services.intake.domain.catalogue.codes import Code, Wording

FIELDS: Final[dict[Code, Wording]] = {
    Code.MISSING: Wording(
        "「{label}」は必須です。",
        "{field} is required.",
        "A required field is left out or null.",
        ("**",),
    ),
    Code.NOT_AN_OBJECT: Wording(
        "「{label}」はオブジェクトにしてください。",
        "{field} must be an object.",
        "An object is expected here.",
        ("**",),
    ),
    Code.NOT_A_LIST: Wording(
        "「{label}」は配列にしてください。",
        "{field} must be a list.",
        "A list is expected here.",
        ("/guarantees",),
    ),
    Code.TOO_MANY_ITEMS: Wording(
        "「{label}」は{items_max}件以内にしてください。",
        "{field} takes at most {items_max}.",
        "The list is longer than any form.",
        ("/guarantees",),
    ),
    Code.NOT_TEXT: Wording(
        "「{label}」は文字列で送信してください。",
        "{field} must be a string.",
        "A string is expected here.",
        ("**",),
    ),
    Code.NOT_AN_INTEGER: Wording(
        "「{label}」は整数の数値で送信してください(引用符・小数点・指数なし)。",
        "{field} must be a whole number: no quotes, no fraction, no exponent.",
        "A whole number is expected here: no quotes, no fraction, no exponent.",
        ("**",),
    ),
    Code.NOT_A_BOOLEAN: Wording(
        "「{label}」はtrueまたはfalseにしてください。",
        "{field} must be true or false.",
        "true or false is expected here.",
        ("**",),
    ),
    Code.NOT_ONE_OF: Wording(
        "「{label}」は次のいずれかにしてください: {allowed}。",
        "{field} must be one of: {allowed}.",
        "The value is none of those the form knows.",
        ("**",),
    ),
    Code.TOO_LONG: Wording(
        "「{label}」は{chars_max}文字以内にしてください。",
        "{field} takes at most {chars_max} characters.",
        "The text is longer than the field.",
        ("**",),
    ),
    Code.BLANK: Wording(
        "「{label}」が空欄です。",
        "{field} is blank.",
        "The text is empty or only spaces.",
        ("**",),
    ),
    Code.LINE_BREAK: Wording(
        "「{label}」に改行やタブは使えません。",
        "{field} takes no line breaks or tabs.",
        "The field takes one line.",
        ("**",),
    ),
    Code.MALFORMED: Wording(
        "「{label}」の形式が違います。{expected_ja}",
        "{field} is malformed: {expected_en}",
        "The text has not the shape that the field asks for.",
        ("**",),
    ),
    Code.NOT_A_DATE: Wording(
        "「{label}」は2026-01-05、令和8年1月5日、R8.1.5のいずれかの形にしてください。",
        "{field} must be a date such as 2026-01-05, 令和8年1月5日 or R8.1.5.",
        "Neither an ISO date nor 和暦 (rule 10).",
        ("**",),
    ),
    Code.IMPOSSIBLE_DATE: Wording(
        "「{label}」は実在しない日付です。",
        "{field} is a date that does not exist.",
        "A date that does not exist, or before its era began (rule 10).",
        ("**",),
    ),
    Code.NOT_A_TIME: Wording(
        "「{label}」は2026-01-15T09:30:00+09:00の形(時差つき)にしてください。",
        "{field} must be an RFC 3339 time with an offset, such as 2026-01-15T09:30:00+09:00.",
        "No RFC 3339 time with an offset.",
        ("/submitted_at",),
    ),
    Code.YEAR_OUT_OF_RANGE: Wording(
        "「{label}」の年は{year_min}年から{year_max}年までにしてください。",
        "The year of {field} must be from {year_min} to {year_max}.",
        "A year that can only be a slip.",
        ("**",),
    ),
    Code.PARAMETER_INVALID: Wording(
        "パラメータ「{name}」の指定を確認してください。",
        "Check the parameter {name}.",
        "A parameter of the address (query or path) is wrong; the pointer names it.",
        ("/*",),
    ),
}
