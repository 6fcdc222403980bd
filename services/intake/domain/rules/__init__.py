"""The rules that form and registry can tell (domain, section 4): one small function each, in two tables below.

A rule yields a problem for everything that breaks it and never looks whether a field could be read: asking the form
for an unread field ends that rule alone. To add a rule, write the function with its source and put it into its table.
Marks: [F] the flyer, [P] published by municipalities, guarantee companies or in statutes, [D] decided here.
"""

from collections.abc import Callable, Iterator
from typing import Final

from services.intake.domain.fields import Unread
from services.intake.domain.rules import application, guarantee
from services.intake.domain.rules.case import Case, Line
from shared.problems import Problem

Rule = Callable[[Case], Iterator[Problem]]
LineRule = Callable[[Case, Line], Iterator[Problem]]

RULES: Final[tuple[Rule, ...]] = (
    application.portal_is_the_doors,
    application.something_is_applied_for,
    application.obligee_code_has_its_check_digit,
    application.price_is_positive,
    application.fiscal_year_amount_is_positive,
    application.fiscal_year_amount_is_part_of_the_price,
    application.fiscal_year_is_one_of_the_works,
    application.works_end_after_they_start,
    application.contract_comes_before_the_end_of_works,
    application.wished_mail_has_an_address,
)

LINE_RULES: Final[tuple[LineRule, ...]] = (
    guarantee.kind_stands_once,
    guarantee.performance_rides_on_an_advance,
    guarantee.obligee_takes_electronic,
    guarantee.amount_is_positive,
    guarantee.amount_is_part_of_its_base,
    guarantee.obligee_pays_advances_on_this_kind,
    guarantee.obligee_pays_advances_from_a_price_on,
    guarantee.advance_stays_below_its_maximum,
    guarantee.interim_stays_below_its_maximum,
    guarantee.interim_names_its_advance,
    guarantee.interim_was_approved,
    guarantee.performance_reaches_its_minimum,
    guarantee.advance_names_its_depository,
    guarantee.depository_is_full_width,
    guarantee.depository_belongs_to_advances,
)


def broken(case: Case) -> Iterator[Problem]:
    """Every problem that the rules find, in the order of the tables."""
    for rule in RULES:
        yield from until_unread(rule(case))
    for line in _lines(case):
        for line_rule in LINE_RULES:
            yield from until_unread(line_rule(case, line))


def until_unread(problems: Iterator[Problem]) -> Iterator[Problem]:
    """What a rule finds; asking for a field that could not be read ends the rule, for its problem is told already."""
    try:
        yield from problems
    except Unread:
        return


def _lines(case: Case) -> tuple[Line, ...]:
    try:
        return tuple(Line(index, line) for index, line in enumerate(case.form.guarantees))
    except Unread:
        return ()
