"""Rules on one line of an application. Each yields a problem for everything that breaks it."""

from collections.abc import Iterator
from typing import Final

from services.intake.domain.amounts import base_of, maximum, minimum
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.dates import wareki
from services.intake.domain.depository import Refused, full_width
from services.intake.domain.form import CertificateForm, Kind
from services.intake.domain.obligees import Basis
from services.intake.domain.rules.case import Case, Line
from shared.problems import Problem

_BASIS_WORDS: Final = {
    Basis.CONTRACT_DATE: ("契約を締結する", "concluded"),
    Basis.TENDER_NOTICE_DATE: ("公告する", "announced"),
}


def kind_stands_once(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 1: each kind of guarantee once [F]. The second one is refused, at its place."""
    if any(earlier.kind == line.guarantee.kind for earlier in case.form.guarantees[: line.index]):
        yield problem(Code.KIND_REPEATED, f"{line.pointer}/kind")


def performance_rides_on_an_advance(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 1: a performance guarantee is a rider (特約), refused where no advance payment is planned [P]."""
    if line.guarantee.kind is Kind.CONTRACT_PERFORMANCE and not case.contract.advance_payment_planned:
        yield problem(Code.PERFORMANCE_WITHOUT_ADVANCE, f"{line.pointer}/kind")


def obligee_takes_electronic(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 2: electronic only if the obligee is registered so and its start rule holds; else paper [F][P]."""
    if line.guarantee.certificate_form is not CertificateForm.ELECTRONIC:
        return
    contract, pointer, start = case.contract, f"{line.pointer}/certificate_form", case.electronic
    name = contract.obligee_name
    if start is None:
        yield problem(Code.OBLIGEE_NOT_ELECTRONIC, pointer, obligee_name=name)
        return
    day = contract.contract_date if start.basis is Basis.CONTRACT_DATE else contract.tender_notice_date
    basis_ja, basis_en = _BASIS_WORDS[start.basis]
    words = {"obligee_name": name, "basis_ja": basis_ja, "basis_en": basis_en}
    if day is None:
        yield problem(Code.TENDER_NOTICE_DATE_NEEDED, pointer, obligee_name=name)
    elif day < start.valid_from:
        since = {"since": start.valid_from, "since_ja": wareki(start.valid_from)}
        yield problem(Code.OBLIGEE_NOT_ELECTRONIC_ON_DATE, pointer, **words, **since)
    elif start.valid_until is not None and day > start.valid_until:
        until = {"until": start.valid_until, "until_ja": wareki(start.valid_until)}
        yield problem(Code.OBLIGEE_NO_LONGER_ELECTRONIC, pointer, **words, **until)
    elif contract.works_kind not in start.works_kinds:
        yield problem(Code.OBLIGEE_NOT_ELECTRONIC_FOR_KIND, pointer, obligee_name=name)


def amount_is_positive(_: Case, line: Line) -> Iterator[Problem]:
    """Rule 3: the guaranteed amount is more than zero yen [D]."""
    if line.guarantee.amount <= 0:
        yield problem(Code.NOT_POSITIVE, f"{line.pointer}/amount", label="保証金額", field="amount")


def amount_is_part_of_its_base(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 3: the guaranteed amount is at most its base [D]."""
    base = base_of(case.contract, line.guarantee.kind)
    if line.guarantee.amount > base > 0:
        base_ja, base_en = _base_words(case, line)
        pointer = f"{line.pointer}/amount"
        yield problem(Code.AMOUNT_OVER_BASE, pointer, base=base, base_ja=base_ja, base_en=base_en)


def obligee_pays_advances_on_this_kind(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 4: where the obligee pays no advance on this kind of works, none is secured [P]."""
    if line.is_advance and case.rates.advance_percent(case.contract.works_kind) == 0:
        yield problem(Code.ADVANCE_NOT_PAID, f"{line.pointer}/kind", obligee_name=case.contract.obligee_name)


def obligee_pays_advances_from_a_price_on(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 4: many obligees pay an advance only on contracts of at least some price [P]."""
    least = case.rates.minimum_price_yen
    if line.is_advance and least is not None and 0 < case.contract.price < least:
        pointer, name = f"{line.pointer}/kind", case.contract.obligee_name
        yield problem(Code.ADVANCE_NOT_PAID_BELOW_PRICE, pointer, obligee_name=name, minimum=least)


def advance_stays_below_its_maximum(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 4: at most 40 % of the base for works and 30 % for design and survey, or the obligee's own rates [P]."""
    if line.guarantee.kind is Kind.ADVANCE_PAYMENT:
        percent = case.rates.advance_percent(case.contract.works_kind)
        if percent > 0:
            yield from _over_maximum(Code.ADVANCE_OVER_MAXIMUM, case, line, percent)


def interim_stays_below_its_maximum(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 5: an interim advance payment is at most 20 % more [P]. The sum of both is judged by the issuer."""
    if line.guarantee.kind is Kind.INTERIM_ADVANCE_PAYMENT:
        yield from _over_maximum(Code.INTERIM_OVER_MAXIMUM, case, line, case.rates.interim_percent)


def interim_names_its_advance(_: Case, line: Line) -> Iterator[Problem]:
    """Rule 5: an interim advance payment names the guarantee of the advance payment before it [P]."""
    guarantee = line.guarantee
    if guarantee.kind is Kind.INTERIM_ADVANCE_PAYMENT and guarantee.earlier_guarantee_number is None:
        yield problem(Code.EARLIER_GUARANTEE_NUMBER_NEEDED, f"{line.pointer}/earlier_guarantee_number")


def interim_was_approved(_: Case, line: Line) -> Iterator[Problem]:
    """Rule 5: an interim advance payment needs the obligee's approval (認定) [P]."""
    if line.guarantee.kind is Kind.INTERIM_ADVANCE_PAYMENT and not line.guarantee.interim_approval:
        yield problem(Code.INTERIM_APPROVAL_NEEDED, f"{line.pointer}/interim_approval")


def performance_reaches_its_minimum(case: Case, line: Line) -> Iterator[Problem]:
    """Rule 6: at least 10 % of the price, 30 % for a low bid, rounded up, or the obligee's own rates [P][D]."""
    if line.guarantee.kind is not Kind.CONTRACT_PERFORMANCE:
        return
    rates, price = case.rates, case.contract.price
    percent = rates.performance_low_bid_percent if case.contract.low_bid else rates.performance_percent
    least = minimum(price, percent)
    if line.guarantee.amount < least:
        pointer = f"{line.pointer}/amount"
        yield problem(Code.PERFORMANCE_UNDER_MINIMUM, pointer, minimum=least, price=price, percent=percent)


def advance_names_its_depository(_: Case, line: Line) -> Iterator[Problem]:
    """Rule 8: the depository is required for an advance payment [F]."""
    if line.guarantee.kind is Kind.ADVANCE_PAYMENT and line.guarantee.depository is None:
        yield problem(Code.DEPOSITORY_NEEDED, f"{line.pointer}/depository")


def depository_is_full_width(_: Case, line: Line) -> Iterator[Problem]:
    """Rule 8: the depository is full-width, or can be made so for certain [F]; the rest is told with its position."""
    yield from not_full_width(line.guarantee.depository, f"{line.pointer}/depository")


def depository_belongs_to_advances(_: Case, line: Line) -> Iterator[Problem]:
    """Rule 8: depository and redeposit stand on the advance-payment line only [F]."""
    if line.guarantee.kind is not Kind.CONTRACT_PERFORMANCE:
        return
    if line.guarantee.depository is not None:
        pointer = f"{line.pointer}/depository"
        yield problem(Code.DEPOSITORY_ONLY_ON_ADVANCE, pointer, label="預託金融機関", field="depository")
    if line.guarantee.redeposit:
        pointer = f"{line.pointer}/redeposit"
        yield problem(Code.DEPOSITORY_ONLY_ON_ADVANCE, pointer, label="再預託利用区分", field="redeposit")


def not_full_width(depository: str | None, pointer: str) -> Iterator[Problem]:
    """The characters of a depository that cannot stand, if there are any, each with its position."""
    refused = full_width(depository or "").refused
    if refused:
        yield problem(
            Code.DEPOSITORY_NOT_FULL_WIDTH,
            pointer,
            characters_ja="、".join(f"{place.position}文字目「{_shown(place)}」" for place in refused),
            characters_en=", ".join(f"{_shown(place)} at {place.position}" for place in refused),
        )


def _base_words(case: Case, line: Line) -> tuple[str, str]:
    by_year = line.guarantee.kind is not Kind.CONTRACT_PERFORMANCE and case.contract.fiscal_year_amount is not None
    return ("今年度対象額", "this year's amount") if by_year else ("請負金額", "the price")


def _over_maximum(code: Code, case: Case, line: Line, percent: int) -> Iterator[Problem]:
    base = base_of(case.contract, line.guarantee.kind)
    most = maximum(base, percent, case.rates.maximum_unit_yen)
    if line.guarantee.amount > most and base > 0:
        base_ja, _ = _base_words(case, line)
        yield problem(code, f"{line.pointer}/amount", maximum=most, base=base, base_ja=base_ja, percent=percent)


def _shown(place: Refused) -> str:
    return place.character if place.character.isprintable() else f"U+{ord(place.character):04X}"
