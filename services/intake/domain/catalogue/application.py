"""What breaks a rule on the application or on one of its lines (domain, section 4)."""

from typing import Final

from services.intake.domain.catalogue.codes import Code, Wording

_LINE: Final = "/guarantees/*"

APPLICATION: Final[dict[Code, Wording]] = {
    Code.PORTAL_MISMATCH: Wording(
        "portalが送信元と一致しません({portal}で送信してください)。",
        "The portal is not the one this came from; it must be {portal}.",
        "The body names another portal than the one it came from (contract, section 2).",
        ("/portal",),
    ),
    Code.NO_GUARANTEE: Wording(
        "前払金保証または契約保証を一つ以上選択してください。",
        "Apply for at least one guarantee.",
        "Nothing is applied for (rule 1).",
        ("/guarantees",),
    ),
    Code.KIND_REPEATED: Wording(
        "同じ種類の保証が二つあります。一つにしてください。",
        "This kind of guarantee is there already. Send each once.",
        "One kind of guarantee twice (rule 1).",
        (f"{_LINE}/kind",),
    ),
    Code.PERFORMANCE_WITHOUT_ADVANCE: Wording(
        "契約保証は前払金保証の特約です。前払金の予定がない契約ではお申し込みいただけません。",
        "A performance guarantee is a rider: it needs a contract with a planned advance payment.",
        "A performance guarantee without a planned advance payment (rule 1).",
        (f"{_LINE}/kind",),
    ),
    Code.OBLIGEE_CODE_CHECK_DIGIT: Wording(
        "発注者コードの検査数字が合いません。全国地方公共団体コード6桁を確認してください。",
        "The check digit of the obligee code is wrong. Check the six-digit local government code.",
        "The obligee code's check digit is wrong (rule 2).",
        ("/contract/obligee_code",),
    ),
    Code.OBLIGEE_NOT_ELECTRONIC: Wording(
        "{obligee_name}は電子保証対応の発注者として登録されていません。証書(紙)を選択してください。",
        "This obligee is not registered for electronic guarantees. Choose the paper certificate.",
        "The obligee is not registered as electronic (rule 2).",
        (f"{_LINE}/certificate_form",),
    ),
    Code.OBLIGEE_NOT_ELECTRONIC_ON_DATE: Wording(
        "{obligee_name}の電子保証は{since_ja}以降に{basis_ja}案件が対象です。証書(紙)を選択してください。",
        "Electronic guarantees for this obligee start with contracts {basis_en} on or after {since}. Choose "
        "the paper certificate.",
        "The contract is from before the obligee's electronic guarantees (rule 2).",
        (f"{_LINE}/certificate_form",),
    ),
    Code.OBLIGEE_NO_LONGER_ELECTRONIC: Wording(
        "{obligee_name}の電子保証は{until_ja}までに{basis_ja}案件が対象でした。証書(紙)を選択してください。",
        "Electronic guarantees for this obligee ended with contracts {basis_en} by {until}. Choose the paper "
        "certificate.",
        "The contract is from after the obligee's electronic guarantees (rule 2).",
        (f"{_LINE}/certificate_form",),
    ),
    Code.OBLIGEE_NOT_ELECTRONIC_FOR_KIND: Wording(
        "{obligee_name}の電子保証は、この工事・業務の区分を対象としていません。証書(紙)を選択してください。",
        "This obligee takes no electronic guarantees for this kind of works. Choose the paper certificate.",
        "The obligee takes this kind of works on paper only (rule 2).",
        (f"{_LINE}/certificate_form",),
    ),
    Code.TENDER_NOTICE_DATE_NEEDED: Wording(
        "{obligee_name}の電子保証は公告日で判定します。公告日を入力するか、証書(紙)を選択してください。",
        "This obligee's electronic guarantees depend on the tender notice date. Send it, or choose the paper "
        "certificate.",
        "The obligee decides by the tender notice date, which is not given (rule 2).",
        (f"{_LINE}/certificate_form",),
    ),
    Code.NOT_POSITIVE: Wording(
        "「{label}」は1円以上にしてください。",
        "{field} must be at least 1 yen.",
        "Money below one yen (rule 3).",
        (
            "/contract/price",
            "/contract/fiscal_year_amount",
            f"{_LINE}/amount",
            "/price",
            "/fiscal_year_amount",
            "/amount",
            "/corrections/*",
        ),
    ),
    Code.AMOUNT_OVER_BASE: Wording(
        "保証金額が{base_ja}({base}円)を超えています。",
        "The amount exceeds its base of {base} yen ({base_en}).",
        "The guaranteed amount is over what it is taken of (rule 3).",
        (
            f"{_LINE}/amount",
            "/amount",
            "/corrections/amount",
        ),
    ),
    Code.FISCAL_YEAR_AMOUNT_OVER_PRICE: Wording(
        "今年度対象額が請負金額({price}円)を超えています。",
        "This year's amount exceeds the price of {price} yen.",
        "This year's amount is over the price (rule 3).",
        (
            "/contract/fiscal_year_amount",
            "/fiscal_year_amount",
            "/corrections/fiscal_year_amount",
        ),
    ),
    Code.FISCAL_YEAR_OUTSIDE_WORKS: Wording(
        "今年度対象額の年度({fiscal_year}年度)が契約日から工期末までの年度に含まれません。年度を確認してください。",
        "The fiscal year {fiscal_year} of this year's amount lies outside contract and works. Send the right year.",
        "This year's amount is of a year outside contract and works (rule 7).",
        ("/contract/fiscal_year",),
    ),
    Code.WORKS_END_BEFORE_START: Wording(
        "工期の終わりが始まり({works_from})より前です。",
        "The works end before they start ({works_from}).",
        "The works end before they start (rule 3).",
        (
            "/contract/works_until",
            "/corrections/works_until",
        ),
    ),
    Code.CONTRACT_AFTER_WORKS: Wording(
        "契約日が工期の終わり({works_until})より後です。",
        "The contract date is after the end of works ({works_until}).",
        "The contract is later than the end of works (rule 3).",
        (
            "/contract/contract_date",
            "/contract_date",
            "/corrections/contract_date",
        ),
    ),
    Code.ADVANCE_NOT_PAID: Wording(
        "{obligee_name}は、この工事・業務の区分の契約に前払金を支払いません。",
        "This obligee pays no advance on this kind of works.",
        "The obligee pays no advance on this kind of works (rule 4).",
        (f"{_LINE}/kind",),
    ),
    Code.ADVANCE_NOT_PAID_BELOW_PRICE: Wording(
        "{obligee_name}は、請負金額{minimum}円以上の契約に限り前払金を支払います。",
        "This obligee pays an advance only on contracts of at least {minimum} yen.",
        "The obligee pays no advance on so small a contract (rule 4).",
        (f"{_LINE}/kind",),
    ),
    Code.ADVANCE_OVER_MAXIMUM: Wording(
        "前払金保証金額は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "The advance payment may be at most {maximum} yen ({percent} % of {base} yen).",
        "The advance payment is over the obligee's limit (rules 4 and 7).",
        (f"{_LINE}/amount",),
    ),
    Code.INTERIM_OVER_MAXIMUM: Wording(
        "中間前払金保証金額は{maximum}円({base_ja}{base}円の{percent}%)以内にしてください。",
        "The interim advance payment may be at most {maximum} yen ({percent} % of {base} yen).",
        "The interim advance payment is over the obligee's limit (rule 5).",
        (f"{_LINE}/amount",),
    ),
    Code.EARLIER_GUARANTEE_NUMBER_NEEDED: Wording(
        "中間前払金保証には、先の前払金保証の保証契約番号が必要です。",
        "An interim advance payment needs the number of the earlier advance payment guarantee.",
        "An interim advance payment without its advance payment (rule 5).",
        (f"{_LINE}/earlier_guarantee_number",),
    ),
    Code.INTERIM_APPROVAL_NEEDED: Wording(
        "中間前払金保証には、発注者の認定が必要です。",
        "An interim advance payment needs the obligee's approval (認定).",
        "An interim advance payment without 認定 (rule 5).",
        (f"{_LINE}/interim_approval",),
    ),
    Code.PERFORMANCE_UNDER_MINIMUM: Wording(
        "契約保証金額は{minimum}円(請負金額{price}円の{percent}%)以上にしてください。",
        "The performance guarantee must be at least {minimum} yen ({percent} % of {price} yen).",
        "The performance guarantee is under the obligee's minimum (rule 6).",
        (f"{_LINE}/amount",),
    ),
    Code.DEPOSITORY_NEEDED: Wording(
        "預託金融機関を入力してください。",
        "The depository is required here.",
        "An advance payment without a depository (rule 8).",
        (f"{_LINE}/depository",),
    ),
    Code.DEPOSITORY_NOT_FULL_WIDTH: Wording(
        "預託金融機関は全角(JIS X 0208)で入力してください。使えない文字: {characters_ja}。",
        "The depository takes full-width characters (JIS X 0208) only. Not taken: {characters_en}.",
        "A character outside JIS X 0208 without a certain twin (rule 8).",
        (
            f"{_LINE}/depository",
            "/corrections/depository",
        ),
    ),
    Code.DEPOSITORY_ONLY_ON_ADVANCE: Wording(
        "「{label}」は前払金保証だけの項目です。空欄にしてください。",
        "{field} belongs to advance payments only. Leave it out.",
        "A performance guarantee has neither depository nor redeposit (rule 8).",
        (
            f"{_LINE}/depository",
            f"{_LINE}/redeposit",
        ),
    ),
    Code.MAIL_ADDRESS_NEEDED: Wording(
        "お知らせを希望する場合は、メールアドレスを入力してください。",
        "A completion mail needs an address.",
        "A mail is wished and no address given (rule 9).",
        ("/completion_mail/address",),
    ),
    Code.MAIL_ADDRESS_MALFORMED: Wording(
        "メールアドレスの形式が違います。",
        "This is not a mail address we can send to.",
        "A mail is wished to what is no address (rule 9).",
        ("/completion_mail/address",),
    ),
    Code.APPLICATION_ID_TAKEN: Wording(
        "この申込番号は別の内容で受付済です。",
        "This application id was accepted with other content.",
        "Other content was accepted under this id; the first stands (rule 11).",
        ("/application_id",),
    ),
}
