"""Rules 2 to 7 on the values of a guarantee that is there, judged by the terms that stayed with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.issuer.domain.catalogue import Code, problem
from services.issuer.domain.names import PRODUCT_NAMES
from services.issuer.domain.particulars import Particulars, fiscal_year_of
from shared.messages.intake import CertificateForm, Kind, Terms
from shared.problems import Problem

_PERCENT: Final = 100

_BASIS_WORDS: Final = {
    "contract_date": ("契約を締結する", "concluded"),
    "tender_notice_date": ("公告する", "announced"),
}


def general_terms(code: str, name: str) -> Terms:
    """The widely published rates, for guarantees from before an application carried its obligee's terms.

    Nothing is said of electronic certificates: the door judged that (rule 2), and its date is not known any more.
    """
    return Terms(
        obligee_code=code,
        obligee_name=name,
        advance_works_percent=40,
        advance_design_percent=30,
        interim_percent=20,
        advance_together_percent=60,
        performance_percent=10,
        performance_low_bid_percent=30,
        maximum_unit_yen=1,
        rates_valid_from=date(1900, 1, 1),
        rates_source="広く公表されている一般的な率。個々の発注者の率ではない。",
    )


def maximum(base: int, percent: int, unit_yen: int) -> int:
    """At most this many yen: rounded down, then cut to a multiple of `unit_yen` (rule 6)."""
    exact = base * percent // _PERCENT
    return exact - exact % unit_yen


def minimum(price: int, percent: int) -> int:
    """At least this many yen: rounded up (rule 6)."""
    return -(-price * percent // _PERCENT)


@dataclass(frozen=True, slots=True)
class Case:
    """Values to be judged.

    Attributes:
        sent: field → its JSON Pointer, for each field that was sent; a problem stands at the first one it is about.
        change_date: the day of the contract of change, if this is one; it belongs to the change, not to the values.
        beside: the guaranteed amounts of the other advance payments on the same contract (rule 5).
    """

    kind: Kind
    certificate_form: CertificateForm
    values: Particulars
    terms: Terms
    sent: dict[str, str]
    change_date: date | None = None
    beside: int = 0

    def at(self, *fields: str) -> str:
        """Where a problem about these fields stands; the whole of what was sent, if none of them was."""
        return next((self.sent[field] for field in fields if field in self.sent), "")

    @property
    def base(self) -> int:
        """What the ratio of this kind is taken of."""
        return self.values.base(self.kind)

    @property
    def base_words(self) -> tuple[str, str]:
        """How that is called."""
        by_year = self.kind != "contract_performance" and self.values.fiscal_year_amount is not None
        return ("今年度対象額", "this year's amount") if by_year else ("請負金額", "the price")


def judged(case: Case) -> tuple[Problem, ...]:
    """Everything that is wrong with these values, in the order of the rules."""
    rules = (
        *(_electronic, _positive, _parts, _days, _fiscal_year, _advance_from_a_price_on, _advance, judged_together),
        *(_performance, _depository),
    )
    return tuple(found for rule in rules for found in rule(case))


def _electronic(case: Case) -> Iterator[Problem]:
    """Rule 2: a corrected date is judged again; where changes of older contracts count, the change's own day does."""
    terms, values = case.terms, case.values
    if case.certificate_form != "electronic" or terms.electronic_since is None or terms.electronic_basis is None:
        return
    by_contract = terms.electronic_basis == "contract_date"
    days = [values.contract_date if by_contract else values.tender_notice_date]
    if by_contract and not terms.changes_of_older_contracts_excluded:
        days.append(case.change_date)
    if not any(day is not None and _within(terms, day) for day in days):
        basis_ja, basis_en = _BASIS_WORDS[terms.electronic_basis]
        yield problem(
            Code.OBLIGEE_NOT_ELECTRONIC_ON_DATE,
            case.at(terms.electronic_basis, "contract_date"),
            obligee_name=terms.obligee_name,
            since=terms.electronic_since,
            basis_ja=basis_ja,
            basis_en=basis_en,
        )


def _within(terms: Terms, day: date) -> bool:
    since, until = terms.electronic_since, terms.electronic_until
    return since is not None and since <= day and (until is None or day <= until)


def _positive(case: Case) -> Iterator[Problem]:
    """Rule 3: money is more than zero yen."""
    values = case.values
    for field, label, amount in (
        ("price", "請負金額", values.price),
        ("fiscal_year_amount", "今年度対象額", values.fiscal_year_amount),
        ("amount", "保証金額", values.amount),
    ):
        if amount is not None and amount <= 0:
            yield problem(Code.NOT_POSITIVE, case.at(field), label=label, field=field)


def _parts(case: Case) -> Iterator[Problem]:
    """Rule 3: amount ≤ base, fiscal_year_amount ≤ price."""
    values, (base_ja, base_en) = case.values, case.base_words
    if values.fiscal_year_amount is not None and values.fiscal_year_amount > values.price > 0:
        pointer = case.at("fiscal_year_amount", "price")
        yield problem(Code.FISCAL_YEAR_AMOUNT_OVER_PRICE, pointer, price=values.price)
    if values.amount > case.base > 0:
        pointer = case.at("amount", "fiscal_year_amount", "price")
        yield problem(Code.AMOUNT_OVER_BASE, pointer, base=case.base, base_ja=base_ja, base_en=base_en)


def _days(case: Case) -> Iterator[Problem]:
    """Rule 3: works_from ≤ works_until, contract_date ≤ works_until; a contract of change is no later either."""
    values = case.values
    if values.works_from > values.works_until:
        pointer = case.at("works_until", "works_from")
        yield problem(Code.WORKS_END_BEFORE_START, pointer, works_from=values.works_from)
    if max(values.contract_date, case.change_date or values.contract_date) > values.works_until:
        pointer = case.at("contract_date", "works_until")
        yield problem(Code.CONTRACT_AFTER_WORKS, pointer, works_until=values.works_until)


def _fiscal_year(case: Case) -> Iterator[Problem]:
    """Rule 7: this year's amount belongs to a fiscal year between contract and end of works."""
    values = case.values
    if values.fiscal_year_amount is None or values.fiscal_year is None:
        return
    first = fiscal_year_of(min(values.contract_date, values.works_from))
    if not first <= values.fiscal_year <= fiscal_year_of(values.works_until):
        pointer = case.at("fiscal_year_amount", "works_until", "works_from", "contract_date")
        yield problem(Code.FISCAL_YEAR_OUTSIDE_WORKS, pointer, fiscal_year=values.fiscal_year)


def _advance_from_a_price_on(case: Case) -> Iterator[Problem]:
    """Rule 4: many obligees pay an advance, and secure one, only on contracts of at least some price."""
    least = case.terms.minimum_price_yen
    if case.kind != "contract_performance" and least is not None and 0 < case.values.price < least:
        pointer, name = case.at("price"), case.terms.obligee_name
        yield problem(Code.ADVANCE_NOT_PAID_BELOW_PRICE, pointer, obligee_name=name, minimum=least)


def _advance(case: Case) -> Iterator[Problem]:
    """Rules 4 and 5: an advance payment, and an interim one by itself, stay below their own maximum."""
    terms = case.terms
    if case.kind == "advance_payment":
        works = case.values.works_kind == "construction"
        percent = terms.advance_works_percent if works else terms.advance_design_percent
        yield from _over(case, Code.ADVANCE_OVER_MAXIMUM, percent, case.values.amount)
    elif case.kind == "interim_advance_payment":
        yield from _over(case, Code.INTERIM_OVER_MAXIMUM, terms.interim_percent, case.values.amount)


def judged_together(case: Case) -> Iterator[Problem]:
    """Rule 5: advance and interim advance payments stay below their maximum together."""
    if case.beside:
        together = case.values.amount + case.beside
        yield from _over(case, Code.TOGETHER_OVER_MAXIMUM, case.terms.advance_together_percent, together)


def _over(case: Case, code: Code, percent: int, amount: int) -> Iterator[Problem]:
    most = maximum(case.base, percent, case.terms.maximum_unit_yen)
    if amount > most and case.base > 0:
        pointer, base_ja = case.at("amount", "fiscal_year_amount", "price"), case.base_words[0]
        yield problem(code, pointer, maximum=most, base=case.base, base_ja=base_ja, percent=percent, together=amount)


def _performance(case: Case) -> Iterator[Problem]:
    """Rule 6: a performance guarantee reaches its minimum, a higher one for a low bid."""
    values = case.values
    least, percent = performance_minimum(values.price, case.terms, low_bid=values.low_bid)
    if case.kind == "contract_performance" and values.amount < least:
        pointer = case.at("amount", "price")
        yield problem(Code.PERFORMANCE_UNDER_MINIMUM, pointer, minimum=least, price=values.price, percent=percent)


def performance_minimum(price: int, terms: Terms, *, low_bid: bool) -> tuple[int, int]:
    """The least amount of a performance guarantee in yen, and its percentage (rule 6)."""
    percent = terms.performance_low_bid_percent if low_bid else terms.performance_percent
    return minimum(price, percent), percent


def _depository(case: Case) -> Iterator[Problem]:
    """Rule 8: the depository stands on advance payments only."""
    if case.kind == "contract_performance" and case.values.depository is not None:
        yield problem(Code.DEPOSITORY_ONLY_ON_ADVANCE, case.at("depository"))


@dataclass(frozen=True, slots=True)
class LineNow:
    """One line of an application as far as its siblings are concerned."""

    guarantee_number: str
    kind: Kind
    price: int
    amount: int
    active: bool = True


def remarks_on(number: str, lines: Sequence[LineNow], terms: Terms, *, low_bid: bool) -> tuple[Problem, ...]:
    """What the lines of one application say about each other, as far as it concerns guarantee `number`.

    A performance guarantee that falls below its minimum because a sibling's price rose is a remark, not a refusal
    (rule 12); it goes away by itself when its own change has followed.
    """
    return tuple(
        problem(
            Code.SIBLING_BELOW_MINIMUM,
            performance_number=performance.guarantee_number,
            amount=performance.amount,
            number=line.guarantee_number,
            product_name=PRODUCT_NAMES[line.kind],
            price=line.price,
            minimum=least,
        )
        for performance in lines
        if performance.kind == "contract_performance" and performance.active
        for line in lines
        # At the same price it was judged when it was taken in.
        if line.active and line.price != performance.price
        if number in (line.guarantee_number, performance.guarantee_number)
        for least, _ in [performance_minimum(line.price, terms, low_bid=low_bid)]
        if performance.amount < least
    )
