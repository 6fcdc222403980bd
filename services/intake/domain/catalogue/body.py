"""What cannot be read as JSON, or is unsound in it. Over AMQP such a body is answered and parked."""

from typing import Final

from services.intake.domain.catalogue.codes import Code, Wording

BODY: Final[dict[Code, Wording]] = {
    Code.BODY_TOO_LARGE: Wording(
        "送信データが大きすぎます({bytes_max}バイト以内)。",
        "The body is larger than {bytes_max} bytes.",
        "More bytes than a message may have; over HTTP it is answered with 413.",
        ("",),
    ),
    Code.BODY_NOT_UTF8: Wording(
        "文字コードがUTF-8ではありません。UTF-8で送信してください。",
        "The body is not UTF-8. Send UTF-8.",
        "The bytes are no UTF-8 text.",
        ("",),
    ),
    Code.BODY_HAS_BOM: Wording(
        "先頭にBOMがあります。BOMなしのUTF-8で送信してください。",
        "The body begins with a byte order mark. Send UTF-8 without it (RFC 8259, section 8.1).",
        "A byte order mark stands before the JSON (RFC 8259, section 8.1).",
        ("",),
    ),
    Code.BODY_TOO_DEEP: Wording(
        "入れ子が深すぎます({depth_max}段以内)。",
        "The body is nested deeper than {depth_max} levels.",
        "Nested deeper than any form.",
        ("",),
    ),
    Code.BODY_NOT_JSON: Wording(
        "JSONとして読み取れません({line}行目{column}文字目)。",
        "The body is not JSON (line {line}, column {column}).",
        "The text is no JSON (RFC 8259).",
        ("",),
    ),
    Code.BODY_NOT_AN_OBJECT: Wording(
        "送信データはJSONオブジェクトにしてください。",
        "The body must be a JSON object.",
        "The JSON is no object.",
        ("",),
    ),
    Code.DUPLICATE_KEY: Wording(
        "同じ項目が二度あります。一つにしてください。",
        "This field stands there twice. Send it once.",
        "One object has one name twice; neither value is taken (RFC 7493, section 2.3).",
        ("**",),
    ),
    Code.NUMBER_NOT_FINITE: Wording(
        "数値として扱えない値です。数字で送信してください。",
        "This is not a finite number. Send digits.",
        "A number no computer can hold, such as NaN or 1e999.",
        ("**",),
    ),
    Code.NUMBER_OUT_OF_RANGE: Wording(
        "数値が大きすぎます(絶対値{number_max}以内)。",
        "The number is out of range (at most {number_max}).",
        "An integer beyond what every JSON reader holds exactly (RFC 7493, section 2.2).",
        ("**",),
    ),
    Code.CONTROL_CHARACTER: Wording(
        "使えない制御文字({character})が含まれています。取り除いてください。",
        "The text holds the control character {character}. Remove it.",
        "A text or name with a control character other than tab and line breaks.",
        ("**",),
    ),
    Code.LONE_SURROGATE: Wording(
        "文字として成り立たない符号({character})が含まれています。取り除いてください。",
        "The text holds the lone surrogate {character}, which is no character. Remove it.",
        "A text or name with half a surrogate pair, which is no character.",
        ("**",),
    ),
    Code.TOO_MANY_PROBLEMS: Wording(
        "ほかにも{count}件の問題があります。まず上の問題を直してください。",
        "There are {count} more problems. Mend those above first.",
        "There are more problems than are listed.",
        ("",),
    ),
}
