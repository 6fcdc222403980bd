"""Remarks: what a portal is told about something that was accepted. None of them refuses anything.

Days are compared with the day of sending in Japan, so that a remark does not depend on when we come to read it.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from services.intake.domain.amounts import fiscal_year_of_amount
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.dates import day_in_japan
from services.intake.domain.depository import SIGN_CHANGES, Change, full_width
from services.intake.domain.form import Application, Kind
from services.intake.domain.rules.application import has_electronic_line
from shared.problems import Problem

_CHANGE_WORDS: Final = {
    Change.SPACE: ("空白", "space"),
    Change.LETTER: ("英字", "letters"),
    Change.DIGIT: ("数字", "digits"),
    Change.KANA: ("カナ", "kana"),
    Change.WAVE_DASH: ("波ダッシュ(〜)", "wave dash"),
    Change.MINUS_SIGN: ("マイナス記号(−)", "minus sign"),
}
_ONE_OF_A_KIND: Final = frozenset({Change.SPACE, Change.WAVE_DASH, Change.MINUS_SIGN})


def about(form: Application) -> Iterator[Problem]:
    """Every remark on an application that is accepted."""
    for index, guarantee in enumerate(form.guarantees):
        yield from about_depository(guarantee.depository, f"/guarantees/{index}/depository")
    yield from _about_dates(form)
    yield from _about_plans(form)
    if form.completion_mail.wanted and not has_electronic_line(form):
        yield problem(Code.NO_MAIL_FOR_PAPER, "/completion_mail/wanted")


def about_depository(depository: str | None, pointer: str) -> Iterator[Problem]:
    """Rule 8: what was made full-width, and which signs were replaced by their twins [F][D]."""
    changes = full_width(depository or "").changes
    widened = [change for change in changes if change not in SIGN_CHANGES]
    replaced = [change for change in changes if change in SIGN_CHANGES]
    if widened:
        yield _changed(Code.DEPOSITORY_NORMALISED, pointer, widened)
    if replaced:
        yield _changed(Code.DEPOSITORY_SIGN_REPLACED, pointer, replaced)


def about_end_of_works(works_until: date | None, sent_on: date, pointer: str) -> Iterator[Problem]:
    """Rule 3: works that were over before anybody applied are more often a slip than meant [D]."""
    if works_until is not None and works_until < sent_on:
        yield problem(Code.WORKS_ALREADY_OVER, pointer, works_until=works_until)


def _about_dates(form: Application) -> Iterator[Problem]:
    contract, sent_on = form.contract, day_in_japan(form.submitted_at)
    day, notice = contract.contract_date, contract.tender_notice_date
    if notice is not None and notice > day:
        yield problem(Code.TENDER_NOTICE_AFTER_CONTRACT, "/contract/tender_notice_date", tender_notice_date=notice)
    if contract.contract_date_planned and day < sent_on:
        yield problem(Code.PLANNED_CONTRACT_DATE_PASSED, "/contract/contract_date", contract_date=day)
    if not contract.contract_date_planned and day > sent_on:
        yield problem(Code.CONTRACT_DATE_NOT_YET, "/contract/contract_date", contract_date=day)
    yield from about_end_of_works(contract.works_until, sent_on, "/contract/works_until")


def _about_plans(form: Application) -> Iterator[Problem]:
    contract = form.contract
    if contract.fiscal_year_amount is not None and contract.fiscal_year is None:
        year = fiscal_year_of_amount(form)
        yield problem(Code.FISCAL_YEAR_FILLED_IN, "/contract/fiscal_year", fiscal_year=year)
    has_advance = any(line.kind is not Kind.CONTRACT_PERFORMANCE for line in form.guarantees)
    if has_advance and not contract.advance_payment_planned:
        yield problem(Code.ADVANCE_NOT_PLANNED, "/contract/advance_payment_planned")


def _changed(code: Code, pointer: str, changes: Sequence[Change]) -> Problem:
    words = [_CHANGE_WORDS[change] for change in changes]
    is_one = len(changes) == 1 and changes[0] in _ONE_OF_A_KIND
    return problem(
        code,
        pointer,
        changed_ja="・".join(ja for ja, _ in words),
        changed_en=" and ".join(en for _, en in words),
        was="was" if is_one else "were",
    )
