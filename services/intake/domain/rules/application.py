"""Rules on the application as a whole. Each yields a problem for everything that breaks it."""

from collections.abc import Iterator

from services.intake.domain.amounts import fiscal_year_of_amount
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.dates import fiscal_year_of
from services.intake.domain.form import Application, CertificateForm
from services.intake.domain.obligees import has_check_digit
from services.intake.domain.rules.case import Case
from services.intake.domain.rules.mail import can_be_sent
from shared.problems import Problem


def portal_is_the_doors(case: Case) -> Iterator[Problem]:
    """The body's portal is the portal of the key or of the token (contract, section 2)."""
    if case.form.portal != case.door:
        yield problem(Code.PORTAL_MISMATCH, "/portal", portal=case.door)


def something_is_applied_for(case: Case) -> Iterator[Problem]:
    """Rule 1: at least one line [F]."""
    if not case.form.guarantees:
        yield problem(Code.NO_GUARANTEE, "/guarantees")


def obligee_code_has_its_check_digit(case: Case) -> Iterator[Problem]:
    """Rule 2: the obligee is named by a 全国地方公共団体コード, six digits with check digit [P: 総務省]."""
    if not has_check_digit(case.contract.obligee_code):
        yield problem(Code.OBLIGEE_CODE_CHECK_DIGIT, "/contract/obligee_code")


def price_is_positive(case: Case) -> Iterator[Problem]:
    """Rule 3: the price is more than zero yen [D]."""
    if case.contract.price <= 0:
        yield problem(Code.NOT_POSITIVE, "/contract/price", label="請負金額", field="price")


def fiscal_year_amount_is_positive(case: Case) -> Iterator[Problem]:
    """Rule 3: this year's amount is more than zero yen, if it is given [D]."""
    amount = case.contract.fiscal_year_amount
    if amount is not None and amount <= 0:
        pointer = "/contract/fiscal_year_amount"
        yield problem(Code.NOT_POSITIVE, pointer, label="今年度対象額", field="fiscal_year_amount")


def fiscal_year_amount_is_part_of_the_price(case: Case) -> Iterator[Problem]:
    """Rule 3: this year's amount is at most the price [D]."""
    amount, price = case.contract.fiscal_year_amount, case.contract.price
    if amount is not None and amount > price:
        yield problem(Code.FISCAL_YEAR_AMOUNT_OVER_PRICE, "/contract/fiscal_year_amount", price=price)


def fiscal_year_is_one_of_the_works(case: Case) -> Iterator[Problem]:
    """Rule 7: this year's amount belongs to a fiscal year between contract and end of works [D].

    Without it 保証期限, 31 March of that year, could lie before the contract or far after the works.
    """
    contract = case.contract
    if contract.fiscal_year_amount is None:
        return
    year = fiscal_year_of_amount(case.form)
    first = fiscal_year_of(min(contract.contract_date, contract.works_from))
    if not first <= year <= fiscal_year_of(contract.works_until):
        yield problem(Code.FISCAL_YEAR_OUTSIDE_WORKS, "/contract/fiscal_year", fiscal_year=year)


def works_end_after_they_start(case: Case) -> Iterator[Problem]:
    """Rule 3: works_from is not after works_until [D]."""
    if case.contract.works_from > case.contract.works_until:
        pointer = "/contract/works_until"
        yield problem(Code.WORKS_END_BEFORE_START, pointer, works_from=case.contract.works_from)


def contract_comes_before_the_end_of_works(case: Case) -> Iterator[Problem]:
    """Rule 3: contract_date is not after works_until [D]."""
    if case.contract.contract_date > case.contract.works_until:
        pointer = "/contract/contract_date"
        yield problem(Code.CONTRACT_AFTER_WORKS, pointer, works_until=case.contract.works_until)


def wished_mail_has_an_address(case: Case) -> Iterator[Problem]:
    """Rule 9: a wished completion mail has an address that mail can be sent to [F][D].

    Not wished, or with paper lines only, no mail will be sent, whatever stands in the field.
    """
    if has_electronic_line(case.form):
        yield from can_be_sent(case.form.completion_mail)


def has_electronic_line(form: Application) -> bool:
    """Whether anything is applied for electronically."""
    return any(guarantee.certificate_form is CertificateForm.ELECTRONIC for guarantee in form.guarantees)
