"""What breaks a rule on the form of a change (domain rule 12). What needs the guarantee is judged by the issuer."""

from typing import Final

from services.intake.domain.catalogue.codes import Code, Wording

CHANGE: Final[dict[Code, Wording]] = {
    Code.VERSION_KIND_FOR_OFFICE_ONLY: Wording(
        "訂正・変更取消・解約は営業部・支店が行います。ポータルからは変更(change)だけを送信できます。",
        "Corrections, cancelled changes and terminations are the office's. A portal sends change only.",
        "A portal sends change, the office everything (rule 12).",
        ("/version_kind",),
    ),
    Code.BASE_VERSION_NOT_POSITIVE: Wording(
        "もとになる版の番号は1以上にしてください。",
        "base_version must be at least 1.",
        "Versions count from 1 (rule 12).",
        ("/base_version",),
    ),
    Code.CHANGES_NOTHING: Wording(
        "変更内容がありません。",
        "The change changes nothing.",
        "No value is changed or corrected (rule 12).",
        ("",),
    ),
    Code.NOT_FOR_VERSION_KIND: Wording(
        "「{label}」は対象が{version_kind}のときには使えません。空欄にしてください。",
        "{field} has no meaning where version_kind is {version_kind}. Leave it out.",
        "A value that this kind of version does not bring (rule 12).",
        (
            "/price",
            "/fiscal_year_amount",
            "/amount",
            "/works_until",
            "/corrections",
        ),
    ),
    Code.UNKNOWN_CORRECTION: Wording(
        "訂正できる項目ではありません。訂正できる項目: {allowed}。",
        "This cannot be corrected. What can be: {allowed}.",
        "What stands on no certificate, or makes it another contract, is not corrected (rule 12).",
        ("/corrections/*",),
    ),
    Code.CHANGE_ID_TAKEN: Wording(
        "この変更番号は別の内容で受付済です。",
        "This change id was accepted with other content.",
        "Other content was accepted under this id; the first stands (rule 11).",
        ("/change_id",),
    ),
}
