"""Faults to put into an application that was right; each knows where intake must point.

A fault gives None when it does not fit the application, or when an earlier fault has changed the same place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Application = dict[str, Any]

TOO_EARLY = "2025-12-20"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the JSON Pointer at which a problem must be told; the number is the domain page's rule."""

    rule: int
    pointer: str
    what: str


Spoil = Callable[[Application], Fault | None]


def advance_too_high(application: Application) -> Fault | None:
    """Rule 4: more than 40 % (or 30 %) of the base."""
    index = _line(application, "advance_payment")
    if index is None:
        return None
    # More than half of the price is above either limit of every base, this year's amount included.
    application["guarantees"][index]["amount"] = application["contract"]["price"] // 2 + 1
    return Fault(4, f"/guarantees/{index}/amount", "advance payment above its maximum")


def performance_too_low(application: Application) -> Fault | None:
    """Rule 6: less than 10 % of the price."""
    index = _line(application, "contract_performance")
    if index is None:
        return None
    application["guarantees"][index]["amount"] = application["contract"]["price"] // 20
    return Fault(6, f"/guarantees/{index}/amount", "contract performance below its minimum")


def works_end_before_start(application: Application) -> Fault | None:
    """Rule 3: the works end before they begin, though after the contract."""
    contract = application["contract"]
    if contract["works_until"] < contract["works_from"]:
        return None
    contract["works_from"], contract["works_until"] = contract["works_until"], contract["works_from"]
    return Fault(3, "/contract/works_until", "the works end before they begin")


def depository_missing(application: Application) -> Fault | None:
    """Rule 8: an advance payment needs its depository."""
    index = _line(application, "advance_payment")
    if index is None:
        return None
    application["guarantees"][index]["depository"] = None
    return Fault(8, f"/guarantees/{index}/depository", "no depository")


def mail_without_address(application: Application) -> Fault | None:
    """Rule 9: a mail is wanted, to nowhere."""
    if all(line["certificate_form"] == "paper" for line in application["guarantees"]):
        return None
    application["completion_mail"] = {"wanted": True, "address": None}
    return Fault(9, "/completion_mail/address", "mail wanted, no address")


def fiscal_amount_above_price(application: Application) -> Fault | None:
    """Rule 3: this year's amount is more than the whole price."""
    contract = application["contract"]
    if contract["fiscal_year_amount"] is None:
        return None
    contract["fiscal_year_amount"] = contract["price"] + 1
    return Fault(3, "/contract/fiscal_year_amount", "this year's amount above the price")


def electronic_too_early(application: Application) -> Fault | None:
    """Rule 2: electronic, and concluded before the obligee's first day."""
    for index, line in enumerate(application["guarantees"]):
        if line["certificate_form"] == "electronic":
            application["contract"]["contract_date"] = TOO_EARLY
            return Fault(2, f"/guarantees/{index}/certificate_form", "electronic before the obligee's first day")
    return None


def no_contact_name(application: Application) -> Fault | None:
    """The form: somebody must be asked for."""
    application["contact"]["name"] = ""
    return Fault(0, "/contact/name", "no name to ask for")


def _line(application: Application, kind: str) -> int | None:
    for index, line in enumerate(application["guarantees"]):
        if line["kind"] == kind:
            return index
    return None


FAULTS: tuple[Spoil, ...] = (
    advance_too_high,
    performance_too_low,
    works_end_before_start,
    depository_missing,
    mail_without_address,
    fiscal_amount_above_price,
    electronic_too_early,
    no_contact_name,
)
"""Faults that do not hide one another, in whatever order they are put in."""
