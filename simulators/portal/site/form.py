"""申込作成: what stands in the fields as it was typed, and the application that follows from it.

A field is named as its place in `application.json`, with dots; what belongs to a line begins with its kind. Nothing
that was typed is lost: what cannot be read as a number goes to intake as it is, which says what is wrong with it.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from simulators import clock

Values = dict[str, str]

ADVANCE: Final = "advance_payment"
INTERIM: Final = "interim_advance_payment"
PERFORMANCE: Final = "contract_performance"
KINDS: Final = {ADVANCE: "前払金保証", INTERIM: "中間前払金保証", PERFORMANCE: "契約保証"}

ON: Final = "on"
YES: Final = "yes"
NO: Final = "no"
FORMS: Final = {"paper": "証書(紙)", "electronic": "電子保証(認証キーを含む)"}
WISHES: Final = {YES: "希望する", NO: "希望しない"}
REDEPOSITS: Final = {NO: "再預託を利用しない", YES: "再預託を利用する"}
WORKS_KINDS: Final = {"construction": "工事", "design": "設計", "survey": "測量・調査"}
PAYMENT_METHODS: Final = {"bank_transfer": "銀行振込", "account_debit": "口座振替"}
DELIVERIES: Final = {"office": "営業部・支店の窓口で受け取る", "post": "郵送で受け取る"}
OFFICES: Final = {name: name for name in ("静岡支店", "浜松支店", "沼津営業所")}

PERCENT: Final = 100
DIGITS_MAX: Final = 18

_TEXTS: Final = (
    "contractor.jv_name",
    "contract.obligee_code",
    "contract.obligee_name",
    "contract.project_name",
    "contract.tender_notice_date",
    "contract.contract_date",
    "contract.works_from",
    "contract.works_until",
    "contract.price",
    "contract.fiscal_year_amount",
    "contract.fiscal_year",
)
_INFORMATION: Final = {
    "receiving_office": "静岡支店",
    "paper_delivery": "office",
    "completion_mail.wanted": YES,
    "completion_mail.address": "",
    "contact.department": "",
    "contact.title": "",
    "contact.name": "",
    "contact.phone": "",
    "message_to_guarantor": "",
}


def new_id() -> str:
    """An application's id, made when its form is opened, so that sending it twice is sending it once."""
    return f"P-{clock.now().astimezone(clock.TOKYO):%Y%m%d}-{clock.new_id()[:13]}"


def empty(contractor: str) -> Values:
    """The fields of a new form, with the preselections of the flyer."""
    works = dict.fromkeys(_TEXTS, "") | {"contract.works_kind": "construction", "contract.advance_payment_planned": YES}
    return works | guarantees(contractor) | information()


def guarantees(contractor: str) -> Values:
    """保証の申込内容 as it stands before anybody types: 前払金保証 and 契約保証, electronic, no paper statement."""
    values: Values = {"contract.fiscal_year_amount": "", "contract.fiscal_year": ""}
    for kind in KINDS:
        values |= {
            f"{kind}.apply": "" if kind == INTERIM else ON,
            f"{kind}.certificate_form": "electronic",
            f"{kind}.amount": "",
            f"{kind}.premium_payment_method": "bank_transfer",
            f"{kind}.premium_billed_to": contractor,
            f"{kind}.paper_premium_statement": NO,
        }
        if kind != PERFORMANCE:
            values |= {f"{kind}.depository": "", f"{kind}.redeposit": NO}
    return values | {f"{INTERIM}.earlier_guarantee_number": ""}


def cleared_guarantees(contractor: str) -> Values:
    """保証の申込内容 cleared: the same, and no tick left behind by what a browser does not send."""
    return guarantees(contractor) | {f"{INTERIM}.interim_approval": ""}


def information() -> Values:
    """インフォメーション as it stands before anybody types: the mail is wished for."""
    return dict(_INFORMATION)


def application(values: Mapping[str, str], portal: str, customer_number: str, contractor: str) -> dict[str, Any]:
    """The application that these fields make."""
    return {
        "application_id": values.get("application_id", ""),
        "portal": portal,
        "submitted_at": clock.now().astimezone(clock.TOKYO).isoformat(timespec="seconds"),
        "receiving_office": values.get("receiving_office", ""),
        "paper_delivery": _given(values, "paper_delivery"),
        "contractor": {
            "customer_number": customer_number,
            "name": contractor,
            "jv_name": _given(values, "contractor.jv_name"),
        },
        "contract": _contract(values),
        "guarantees": [_line(values, kind) for kind in kinds_of(values)],
        "completion_mail": {
            "wanted": _whether(values, "completion_mail.wanted"),
            "address": _given(values, "completion_mail.address"),
        },
        "contact": {
            name: (_given if name in ("department", "title") else _needed)(values, f"contact.{name}")
            for name in ("department", "title", "name", "phone")
        },
        "message_to_guarantor": _given(values, "message_to_guarantor"),
    }


def kinds_of(values: Mapping[str, str]) -> list[str]:
    """The kinds that are applied for, in the order of the form."""
    return [kind for kind in KINDS if values.get(f"{kind}.apply") == ON]


def name_of(pointer: str, kinds: list[str]) -> str:
    """The field that a JSON Pointer into the application means."""
    match pointer.strip("/").split("/"):
        case ["guarantees"]:
            return f"{ADVANCE}.apply"
        case ["guarantees", place, *rest] if place.isdecimal() and int(place) < len(kinds):
            kind = kinds[int(place)]
            return f"{kind}.{rest[0]}" if rest and rest[0] != "kind" else f"{kind}.apply"
        case parts:
            return ".".join(parts)


def ratio(values: Mapping[str, str], kind: str) -> str:
    """保証金額の割合 half-up to a tenth: 20,000,000 of 50,000,000 is `40.0%`; `0.0%` where it cannot be told."""
    amount, whole = yen(values.get(f"{kind}.amount", "")), yen(values.get("contract.price", ""))
    if kind != PERFORMANCE:
        whole = yen(values.get("contract.fiscal_year_amount", "")) or whole
    if not isinstance(amount, int) or not isinstance(whole, int) or whole <= 0 or amount < 0:
        return "0.0%"
    tenths = (2 * amount * PERCENT * 10 + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"


def yen(text: str) -> int | str | None:
    """What was typed as an amount: commas, 円 and full-width digits are taken; None if nothing was typed."""
    plain = re.sub(r"[,、円¥\s]", "", unicodedata.normalize("NFKC", text))
    if not plain:
        return None
    return int(plain) if re.fullmatch(rf"-?[0-9]{{1,{DIGITS_MAX}}}", plain) else text.strip()


def _contract(values: Mapping[str, str]) -> dict[str, Any]:
    def needed(name: str) -> str:
        return _needed(values, f"contract.{name}")

    return {
        "obligee_code": _given(values, "contract.obligee_code"),
        "obligee_name": needed("obligee_name"),
        "project_name": needed("project_name"),
        "works_kind": _given(values, "contract.works_kind"),
        "tender_notice_date": _given(values, "contract.tender_notice_date"),
        "contract_date": _given(values, "contract.contract_date"),
        "contract_date_planned": values.get("contract.contract_date_planned") == ON,
        "works_from": _given(values, "contract.works_from"),
        "works_until": _given(values, "contract.works_until"),
        "price": yen(values.get("contract.price", "")),
        "fiscal_year_amount": yen(values.get("contract.fiscal_year_amount", "")),
        "fiscal_year": yen(values.get("contract.fiscal_year", "").replace("年度", "")),
        "advance_payment_planned": _whether(values, "contract.advance_payment_planned"),
        "low_bid": values.get("contract.low_bid") == ON,
    }


def _line(values: Mapping[str, str], kind: str) -> dict[str, Any]:
    def of(name: str) -> str:
        return f"{kind}.{name}"

    line = {
        "kind": kind,
        "certificate_form": _given(values, of("certificate_form")),
        "amount": yen(values.get(of("amount"), "")),
        "premium_payment_method": _given(values, of("premium_payment_method")),
        "premium_billed_to": _needed(values, of("premium_billed_to")),
        "paper_premium_statement": _whether(values, of("paper_premium_statement")),
    }
    if kind != PERFORMANCE:
        line |= {"depository": _given(values, of("depository")), "redeposit": _whether(values, of("redeposit"))}
    if kind == INTERIM:
        line["earlier_guarantee_number"] = _given(values, of("earlier_guarantee_number"))
        line["interim_approval"] = values.get(of("interim_approval")) == ON
    return line


def _given(values: Mapping[str, str], name: str) -> str | None:
    """What was typed or chosen. Nothing is told as null: a date that is missing is no date of a wrong form."""
    return values.get(name, "").strip() or None


def _needed(values: Mapping[str, str], name: str) -> str:
    return values.get(name, "").strip()


def _whether(values: Mapping[str, str], name: str) -> bool | None:
    return {YES: True, NO: False}.get(values.get(name, ""))
