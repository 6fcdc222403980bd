"""Applications as portals send them, varied and the same again for the same seed.

Accepted ones follow every rule of the domain with registered data only (三島市長 is the one registered obligee that
is public knowledge); rejected ones carry one or more faults, each with the pointer where a problem must be told.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from simulators.portal.faults import FAULTS, Fault

Application = dict[str, Any]

ACCEPTED_SHARE = 0.8
FAULTS_MAX = 3
BEGIN_DEFAULT = date(2026, 1, 20)
FISCAL_YEAR_BEGINS_MONTH = 4

CONTRACTORS = (
    ("C-0045678", "○○建設 株式会社"),
    ("C-0045679", "髙橋建設 株式会社"),
    ("C-0045680", "有限会社 ○○土木"),
    ("C-0045681", "株式会社 ○○組"),
    ("C-0045682", "○○電設工業 株式会社"),
    ("C-0045683", "合同会社 ○○造園"),
)
PROJECTS = (
    "市道○○線道路改良工事",
    "○○川護岸補修工事(その2)",
    "○○小学校 体育館 屋根改修工事",
    "公共下水道○○処理分区 管渠布設工事 第３工区",
    "○○橋 橋梁補修(耐震)工事",
    "防災行政無線 ○○子局更新工事",
)
DESIGNS = ("○○橋詳細設計業務委託", "市道○○線測量業務委託")
OFFICES = ("静岡支店", "浜松支店", "沼津営業所")
DEPOSITORIES = ("○○銀行　××支店", "○○信用金庫　本店営業部", "○○銀行 ××支店", "ｘｘ銀行　○○支店")
PAYMENT_METHODS = ("bank_transfer", "account_debit")


@dataclass(frozen=True, slots=True)
class Sample:
    """An application and what must become of it; `faults` is empty where it must be accepted."""

    application: Application
    faults: tuple[Fault, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether intake must accept it."""
        return not self.faults


def samples(
    portal: str, seed: int, *, accepted_share: float = ACCEPTED_SHARE, begin: date = BEGIN_DEFAULT
) -> Iterator[Sample]:
    """An endless stream of samples; application ids carry the seed and a running number."""
    dice = Random(seed)  # noqa: S311  # Repeatable on purpose; nothing here is secret.
    number = 0
    while True:
        number += 1
        application = accepted(dice, portal, f"S{seed}-{number:06d}", begin)
        if dice.random() < accepted_share:
            yield Sample(application)
        else:
            yield rejected(dice, application)


def accepted(dice: Random, portal: str, application_id: str, begin: date = BEGIN_DEFAULT) -> Application:
    """One application that intake must accept."""
    customer_number, name = dice.choice(CONTRACTORS)
    contract = _contract(dice, begin)
    lines = _lines(dice, contract, name)
    electronic = any(line["certificate_form"] == "electronic" for line in lines)
    wanted = electronic and dice.random() < 0.8
    return {
        "application_id": application_id,
        "portal": portal,
        "submitted_at": f"{contract['signed']}T{dice.randrange(9, 18):02d}:{dice.randrange(60):02d}:00+09:00",
        "receiving_office": dice.choice(OFFICES),
        "paper_delivery": "office",
        "contractor": {
            "customer_number": customer_number,
            "name": name,
            "jv_name": f"{name.split()[-1]}・○○特定建設工事共同企業体" if dice.random() < 0.15 else None,
        },
        "contract": {key: value for key, value in contract.items() if key != "signed"},
        "guarantees": lines,
        "completion_mail": {
            "wanted": wanted,
            "address": f"keiri+{application_id}@kensetsu.example" if wanted else None,
        },
        "contact": {"department": "工務部", "title": "課長", "name": "三島 太郎", "phone": "055-000-0000"},
        "message_to_guarantor": "至急お願いいたします。" if dice.random() < 0.1 else None,
    }


def rejected(dice: Random, application: Application, count: int | None = None) -> Sample:
    """The application with one or more faults put into it; the given one stays as it is."""
    spoilt = deepcopy(application)
    wanted = count if count is not None else dice.randint(1, FAULTS_MAX)
    done: list[Fault] = []
    for spoil in dice.sample(FAULTS, len(FAULTS)):
        if len(done) == wanted:
            break
        fault = spoil(spoilt)
        if fault is not None:
            done.append(fault)
    return Sample(spoilt, tuple(done))


def with_platform(application: Application, *markers: str) -> Application:
    """The application with markers for the platform simulator in its project name: `with_platform(a, "503x2")`."""
    marked = deepcopy(application)
    marked["contract"]["project_name"] += "".join(f" [platform:{marker}]" for marker in markers)
    return marked


def with_mail(application: Application, local_part: str) -> Application:
    """The application with a completion mail to this local part, which may be one the mailbox misbehaves for."""
    marked = deepcopy(application)
    address = f"{local_part}+{application['application_id']}@kensetsu.example"
    marked["completion_mail"] = {"wanted": True, "address": address}
    return marked


def example(portal: str, application_id: str, kind: str = "advance_payment") -> Application:
    """The plainest electronic application: the test values of the domain page, one line."""
    dice = Random(0)  # noqa: S311  # Repeatable on purpose; nothing here is secret.
    application = accepted(dice, portal, application_id)
    contract = application["contract"]
    contract |= {
        "project_name": PROJECTS[0],
        "works_kind": "construction",
        "contract_date": "2026-01-20",
        "works_from": "2026-01-21",
        "works_until": "2026-12-25",
        "price": 50_000_000,
        "fiscal_year_amount": None,
        "fiscal_year": None,
        "low_bid": False,
    }
    application["contractor"] = {"customer_number": CONTRACTORS[0][0], "name": CONTRACTORS[0][1], "jv_name": None}
    form = "electronic"
    lines = {
        "advance_payment": _advance(dice, 20_000_000, form, CONTRACTORS[0][1]) | {"depository": DEPOSITORIES[0]},
        "contract_performance": _performance(dice, 5_000_000, form, CONTRACTORS[0][1]),
    }
    application["guarantees"] = [lines[kind]]
    application["completion_mail"] = {"wanted": True, "address": f"keiri+{application_id}@kensetsu.example"}
    return application


def _contract(dice: Random, begin: date) -> dict[str, Any]:
    signed = begin + timedelta(days=dice.randrange(60))
    starts = signed + timedelta(days=1)
    ends = starts + timedelta(days=dice.randrange(90, 300))
    price = dice.randrange(1_300_000, 400_000_000)
    fiscal_year_amount = fiscal_year = None
    if dice.random() < 0.2:
        fiscal_year = starts.year if starts.month >= FISCAL_YEAR_BEGINS_MONTH else starts.year - 1
        fiscal_year_amount = price * dice.randrange(20, 60) // 100
        ends += timedelta(days=400)
    survey = dice.random() < 0.15
    return {
        "obligee_code": "222062",
        "obligee_name": "三島市長",
        "project_name": dice.choice(DESIGNS if survey else PROJECTS),
        "works_kind": "design" if survey else "construction",
        "tender_notice_date": (signed - timedelta(days=40)).isoformat(),
        "contract_date": _in_words(signed) if dice.random() < 0.2 else signed.isoformat(),
        "signed": signed.isoformat(),
        "contract_date_planned": dice.random() < 0.5,
        "works_from": starts.isoformat(),
        "works_until": ends.isoformat(),
        "price": price,
        "fiscal_year_amount": fiscal_year_amount,
        "fiscal_year": fiscal_year,
        "advance_payment_planned": True,
        "low_bid": dice.random() < 0.1,
    }


def _lines(dice: Random, contract: dict[str, Any], payer: str) -> list[dict[str, Any]]:
    base = contract["fiscal_year_amount"] or contract["price"]
    ceiling = base * (40 if contract["works_kind"] == "construction" else 30) // 100
    floor = -(-contract["price"] * (30 if contract["low_bid"] else 10) // 100)
    forms = dice.choice([("electronic",), ("electronic", "electronic"), ("electronic", "paper"), ("paper",)])
    advance = _advance(dice, ceiling - dice.choice((0, 1, ceiling // 4)), forms[0], payer)
    if len(forms) == 2:
        return [advance, _performance(dice, floor, forms[1], payer)]
    return [advance if dice.random() < 0.8 else _performance(dice, floor + 1, forms[0], payer)]


def _advance(dice: Random, amount: int, form: str, payer: str) -> dict[str, Any]:
    line = {"kind": "advance_payment", "certificate_form": form, "amount": amount}
    return line | {"depository": dice.choice(DEPOSITORIES), "redeposit": dice.random() < 0.1} | _premium(dice, payer)


def _performance(dice: Random, amount: int, form: str, payer: str) -> dict[str, Any]:
    return {"kind": "contract_performance", "certificate_form": form, "amount": amount} | _premium(dice, payer)


def _premium(dice: Random, payer: str) -> dict[str, Any]:
    return {
        "premium_payment_method": dice.choice(PAYMENT_METHODS),
        "premium_billed_to": payer,
        "paper_premium_statement": dice.random() < 0.2,
    }


def _in_words(day: date) -> str:
    return f"令和{day.year - 2018}年{day.month}月{day.day}日"
