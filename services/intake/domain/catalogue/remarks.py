"""Remarks: what was accepted is told something about it. None of them refuses anything."""

from typing import Final

from services.intake.domain.catalogue.codes import Code, Wording

_LINE: Final = "/guarantees/*"

REMARKS: Final[dict[Code, Wording]] = {
    Code.DEPOSITORY_NORMALISED: Wording(
        "預託金融機関の{changed_ja}を全角にしました。",
        "The {changed_en} in the depository {was} made full-width.",
        "Half-width characters were made full-width (rule 8).",
        (
            f"{_LINE}/depository",
            "/corrections/depository",
        ),
    ),
    Code.DEPOSITORY_SIGN_REPLACED: Wording(
        "預託金融機関の{changed_ja}をJIS X 0208の文字に置き換えました。",
        "The {changed_en} in the depository {was} replaced by its JIS X 0208 twin.",
        "A sign was replaced by its twin in JIS X 0208 (rule 8).",
        (
            f"{_LINE}/depository",
            "/corrections/depository",
        ),
    ),
    Code.NO_MAIL_FOR_PAPER: Wording(
        "証書(紙)だけのお申し込みのため、電子保証発行完了のお知らせは送信しません。",
        "There are only paper lines, so no completion mail will be sent.",
        "A mail is wished, but nothing is electronic (rule 9).",
        ("/completion_mail/wanted",),
    ),
    Code.FISCAL_YEAR_FILLED_IN: Wording(
        "今年度対象額の年度を送信日から{fiscal_year}年度としました。",
        "The fiscal year of this year's amount was taken from the day of sending: {fiscal_year}.",
        "This year's amount came without its year (rule 7).",
        ("/contract/fiscal_year",),
    ),
    Code.WORKS_ALREADY_OVER: Wording(
        "工期の終わり({works_until})がすでに過ぎています。日付を確認してください。",
        "The works were over ({works_until}) before this was sent. Check the date.",
        "The works were over when this was sent (rule 3).",
        (
            "/contract/works_until",
            "/works_until",
            "/corrections/works_until",
        ),
    ),
    Code.CONTRACT_DATE_NOT_YET: Wording(
        "契約日({contract_date})が送信日より後です。予定の日付であれば「予定」としてください。",
        "The contract date {contract_date} is still to come. If it is planned, say so.",
        "A contract date that is not planned lies in the future (rule 3).",
        ("/contract/contract_date",),
    ),
    Code.PLANNED_CONTRACT_DATE_PASSED: Wording(
        "契約予定日({contract_date})がすでに過ぎています。契約日を確認してください。",
        "The planned contract date {contract_date} has passed. Check it.",
        "A planned contract date lies in the past (rule 3).",
        ("/contract/contract_date",),
    ),
    Code.TENDER_NOTICE_AFTER_CONTRACT: Wording(
        "公告日({tender_notice_date})が契約日より後です。日付を確認してください。",
        "The tender notice date {tender_notice_date} is after the contract date. Check both.",
        "The tender notice is later than the contract (rule 2).",
        ("/contract/tender_notice_date",),
    ),
    Code.ADVANCE_NOT_PLANNED: Wording(
        "「前払金の予定」がない契約に前払金保証が申し込まれています。",
        "An advance payment guarantee is applied for, but no advance payment is planned.",
        "An advance payment guarantee without a planned advance payment (rule 1).",
        ("/contract/advance_payment_planned",),
    ),
}
