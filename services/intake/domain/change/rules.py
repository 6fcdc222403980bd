"""The rules that the form of a change can tell (domain rule 12, with rules 3, 8, 9 and 11 on its values).

Each yields a problem for everything that breaks it. Marks as in the rules on applications.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.intake.domain.catalogue import Code, problem
from services.intake.domain.change.form import MAY_BE_CORRECTED_TO_NULL, VALUES, Change, Corrections, VersionKind
from services.intake.domain.rules import until_unread
from services.intake.domain.rules.guarantee import not_full_width
from services.intake.domain.rules.mail import can_be_sent
from shared.problems import Problem

OFFICE: Final = "office"
"""The door of the guarantor's own office, which may do what portals may not (contract, section 1)."""


@dataclass(frozen=True, slots=True)
class ChangeCase:
    """One change to be judged: its form, the door it came through and the names in its corrections as sent."""

    form: Change
    door: str
    corrected: tuple[str, ...]

    @property
    def is_correction(self) -> bool:
        """Whether it is a 訂正."""
        return self.form.version_kind is VersionKind.CORRECTION


@dataclass(frozen=True, slots=True)
class _Values:
    """The values that a change or its corrections bring, and where they stand."""

    part: Change | Corrections
    place: str


def portal_is_the_doors(case: ChangeCase) -> Iterator[Problem]:
    """The body's portal is the portal of the key or of the token (contract, section 2)."""
    if case.form.portal != case.door:
        yield problem(Code.PORTAL_MISMATCH, "/portal", portal=case.door)


def portal_names_its_customer(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: a change names the customer the guarantee belongs to; only the office may change any guarantee [D]."""
    if case.door != OFFICE and case.form.customer_number is None:
        yield problem(Code.MISSING, "/customer_number", label="お客様番号", field="customer_number")


def base_version_is_a_version(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: versions count from 1 [D]."""
    if case.form.base_version < 1:
        yield problem(Code.BASE_VERSION_NOT_POSITIVE, "/base_version")


def only_the_office_corrects_cancels_and_terminates(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: portals may send 変更 only; the office also 訂正, 変更取消, 解約 [D]."""
    if case.door != OFFICE and case.form.version_kind is not VersionKind.CHANGE:
        yield problem(Code.VERSION_KIND_FOR_OFFICE_ONLY, "/version_kind")


def something_is_changed(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: a 変更 has at least one new value, a 訂正 at least one corrected field [D]."""
    kind = case.form.version_kind
    nothing_new = kind is VersionKind.CHANGE and all(value is None for value in case.form.values.values())
    if nothing_new or (kind is VersionKind.CORRECTION and not case.corrected):
        yield problem(Code.CHANGES_NOTHING, "")


def values_belong_to_the_kind(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: new values come with a 変更 and corrections with a 訂正; what would be ignored is refused [D]."""
    kind = case.form.version_kind
    present = [] if kind is VersionKind.CHANGE else [name for name in VALUES if case.form.values[name] is not None]
    if case.corrected and not case.is_correction:
        present.append("corrections")
    for name in present:
        label = Change.model_fields[name].title
        yield problem(Code.NOT_FOR_VERSION_KIND, f"/{name}", label=label, field=name, version_kind=kind.value)


def corrections_are_known(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: only what stands on the certificate can be corrected; a mistyped field would correct nothing [D]."""
    for name in case.corrected:
        if name not in Corrections.model_fields:
            step = name.replace("~", "~0").replace("/", "~1")
            yield problem(Code.UNKNOWN_CORRECTION, f"/corrections/{step}", allowed=", ".join(Corrections.model_fields))


def corrections_have_values(case: ChangeCase) -> Iterator[Problem]:
    """Rule 12: what a certificate cannot do without is not corrected to nothing [D]."""
    for name in case.corrected:
        field = Corrections.model_fields.get(name)
        if field is None or name in MAY_BE_CORRECTED_TO_NULL:
            continue
        yield from until_unread(_missing(case.form.corrections, name, field.title or name))


def money_is_positive(case: ChangeCase) -> Iterator[Problem]:
    """Rule 3: every amount is more than zero yen [D]."""
    for values in _both(case):
        for name in ("price", "fiscal_year_amount", "amount"):
            yield from until_unread(_not_positive(values, name))


def amount_is_part_of_the_price(case: ChangeCase) -> Iterator[Problem]:
    """Rule 3: the amount is at most the price, where both are given; the issuer knows this year's amount [D]."""
    for values in _both(case):
        yield from until_unread(_over_price(values))


def fiscal_year_amount_is_part_of_the_price(case: ChangeCase) -> Iterator[Problem]:
    """Rule 3: this year's amount is at most the price, where both are given [D]."""
    for values in _both(case):
        yield from until_unread(_year_over_price(values))


def works_end_after_contract_and_start(case: ChangeCase) -> Iterator[Problem]:
    """Rule 3: neither contract nor works begin after works_until, where both are given [D]."""
    for values in _both(case):
        yield from until_unread(_contract_after_works(values))
    yield from until_unread(_works_end_before_start(case.form.corrections))


def depository_is_full_width(case: ChangeCase) -> Iterator[Problem]:
    """Rule 8: a corrected depository is held to the same table [F]."""
    yield from not_full_width(case.form.corrections.depository, "/corrections/depository")


def wished_mail_has_an_address(case: ChangeCase) -> Iterator[Problem]:
    """Rule 9: a wished completion mail has an address; whether the guarantee is on paper the issuer knows [F][D]."""
    yield from can_be_sent(case.form.completion_mail)


RULES: Final[tuple[Callable[[ChangeCase], Iterator[Problem]], ...]] = (
    portal_is_the_doors,
    portal_names_its_customer,
    base_version_is_a_version,
    only_the_office_corrects_cancels_and_terminates,
    something_is_changed,
    values_belong_to_the_kind,
    corrections_are_known,
    corrections_have_values,
    money_is_positive,
    amount_is_part_of_the_price,
    fiscal_year_amount_is_part_of_the_price,
    works_end_after_contract_and_start,
    depository_is_full_width,
    wished_mail_has_an_address,
)


def broken(case: ChangeCase) -> Iterator[Problem]:
    """Every problem that the rules find, in the order of the table."""
    for rule in RULES:
        yield from until_unread(rule(case))


def _both(case: ChangeCase) -> Iterator[_Values]:
    # One after the other, so that corrections that cannot be read do not hide what is wrong with the values.
    yield _Values(case.form, "")
    yield _Values(case.form.corrections, "/corrections")


def _missing(corrections: Corrections, name: str, label: str) -> Iterator[Problem]:
    if getattr(corrections, name) is None:
        yield problem(Code.MISSING, f"/corrections/{name}", label=label, field=name)


def _not_positive(values: _Values, name: str) -> Iterator[Problem]:
    yen: int | None = getattr(values.part, name)
    if yen is not None and yen <= 0:
        label = type(values.part).model_fields[name].title
        yield problem(Code.NOT_POSITIVE, f"{values.place}/{name}", label=label, field=name)


def _over_price(values: _Values) -> Iterator[Problem]:
    price, amount = values.part.price, values.part.amount
    if price is not None and amount is not None and amount > price > 0:
        pointer = f"{values.place}/amount"
        yield problem(Code.AMOUNT_OVER_BASE, pointer, base=price, base_ja="請負金額", base_en="the price")


def _year_over_price(values: _Values) -> Iterator[Problem]:
    price, amount = values.part.price, values.part.fiscal_year_amount
    if price is not None and amount is not None and amount > price:
        yield problem(Code.FISCAL_YEAR_AMOUNT_OVER_PRICE, f"{values.place}/fiscal_year_amount", price=price)


def _contract_after_works(values: _Values) -> Iterator[Problem]:
    day: date | None = values.part.contract_date
    until: date | None = values.part.works_until
    if day is not None and until is not None and day > until:
        yield problem(Code.CONTRACT_AFTER_WORKS, f"{values.place}/contract_date", works_until=until)


def _works_end_before_start(corrections: Corrections) -> Iterator[Problem]:
    begin, until = corrections.works_from, corrections.works_until
    if begin is not None and until is not None and begin > until:
        yield problem(Code.WORKS_END_BEFORE_START, "/corrections/works_until", works_from=begin)
