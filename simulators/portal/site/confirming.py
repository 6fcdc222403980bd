"""申込確認: every value of the form as people read it."""

from collections.abc import Mapping

from simulators.portal.site import form
from simulators.portal.site.visitors import Visitor

NOTHING = "（入力なし）"
Section = tuple[str, list[tuple[str, str]]]


def sections(values: Mapping[str, str], visitor: Visitor) -> list[Section]:
    """Headings, and below each what was written, in the order of the form."""
    lines = [(form.KINDS[kind], _line(values, kind)) for kind in form.kinds_of(values)]
    return [("請負工事の情報", _works(values, visitor)), *lines, ("インフォメーション", _information(values))]


def money(text: str) -> str:
    """An amount with its commas; what is no amount as it was typed."""
    amount = form.yen(text)
    return f"{amount:,}円" if isinstance(amount, int) else text or NOTHING


def _works(values: Mapping[str, str], visitor: Visitor) -> list[tuple[str, str]]:
    def of(name: str) -> str:
        return values.get(f"contract.{name}", "") or NOTHING

    planned = "（予定）" if values.get("contract.contract_date_planned") == form.ON else ""
    this_year = money(values.get("contract.fiscal_year_amount", ""))
    return [
        ("請負契約者", f"{visitor.contractor} 様"),
        ("JV名", values.get("contractor.jv_name", "") or NOTHING),
        ("発注者名", f"{of('obligee_name')}（{of('obligee_code')}）"),
        ("工事名", of("project_name")),
        ("工事・業務の区分", form.WORKS_KINDS.get(of("works_kind"), NOTHING)),
        ("請負金額", money(values.get("contract.price", ""))),
        ("公告日", of("tender_notice_date")),
        ("契約日", of("contract_date") + planned),
        ("工期", f"{of('works_from')} ～ {of('works_until')}"),
        ("今年度対象額", this_year + (f"（{of('fiscal_year')}年度）" if values.get("contract.fiscal_year") else "")),
        ("前払金の予定", "あり" if values.get("contract.advance_payment_planned") == form.YES else "なし"),
        ("低入札", "該当する" if values.get("contract.low_bid") == form.ON else "該当しない"),
    ]


def _line(values: Mapping[str, str], kind: str) -> list[tuple[str, str]]:
    def of(name: str) -> str:
        return values.get(f"{kind}.{name}", "")

    title = form.KINDS[kind]
    rows = [
        ("保証証書の形式", form.FORMS.get(of("certificate_form"), NOTHING)),
        (f"{title}金額", f"{money(of('amount'))}（{form.ratio(values, kind)}）"),
    ]
    if kind == form.INTERIM:
        approved = "受けている" if of("interim_approval") == form.ON else "受けていない"
        rows += [
            ("先の前払金保証の保証契約番号", of("earlier_guarantee_number") or NOTHING),
            ("中間前払金の認定", approved),
        ]
    if kind != form.PERFORMANCE:
        rows += [
            ("預託金融機関", of("depository") or NOTHING),
            ("再預託利用区分", form.REDEPOSITS.get(of("redeposit"), NOTHING)),
        ]
    return [
        *rows,
        (f"{title}料支払方法", form.PAYMENT_METHODS.get(of("premium_payment_method"), NOTHING)),
        (f"{title}料請求先", of("premium_billed_to") or NOTHING),
        ("保証料計算書(紙)", form.WISHES.get(of("paper_premium_statement"), NOTHING)),
    ]


def _information(values: Mapping[str, str]) -> list[tuple[str, str]]:
    def of(name: str) -> str:
        return values.get(name, "") or NOTHING

    return [
        ("申込送信先", of("receiving_office")),
        ("保証証書受取", form.DELIVERIES.get(of("paper_delivery"), NOTHING)),
        ("電子保証発行完了のお知らせ", form.WISHES.get(of("completion_mail.wanted"), NOTHING)),
        ("メールアドレス", of("completion_mail.address")),
        ("担当部署", of("contact.department")),
        ("役職", of("contact.title")),
        ("担当者名", of("contact.name")),
        ("連絡先電話番号", of("contact.phone")),
        ("お客様から弊社への連絡事項", of("message_to_guarantor")),
    ]
