"""What is a slip of the pen in the office's forms, and what is left to the doors to judge."""

from dataclasses import replace
from typing import Any

import pytest

from simulators.core import slips
from simulators.core.changes import REASON_CHARS_MAX, ChangeKind, new_draft, read_draft
from simulators.core.slips import slips_of
from tests.unit.simulators.folders import folder, row


def found(changed: dict[str, str], kind: ChangeKind = ChangeKind.CORRECTION, **of_folder: Any) -> slips.Slips:
    """The slips in a form that came back with these fields changed, confirmed as it should be."""
    one = folder(row(1, **of_folder.pop("row", {})), **of_folder)
    return slips_of(one, kind, read_draft(one, dict(new_draft(one).typed) | {"confirmed": "yes"} | changed))


@pytest.mark.parametrize("typed", ["五千万", "-1", "5.5", "20,000,000円くらい", "1" * 16])
def test_money_that_nobody_can_read_is_a_slip(typed: str) -> None:
    assert found({"price": typed}) == {"price": [slips.NO_YEN]}


@pytest.mark.parametrize("typed", ["2026-02-30", "20261-01-01", "1月20日", "2026/01/20"])
def test_a_day_that_is_none_is_a_slip(typed: str) -> None:
    assert found({"works_until": typed}) == {"works_until": [slips.NO_DAY]}


@pytest.mark.parametrize("name", ["contractor_name", "project_name", "contract_date", "price", "amount", "depository"])
def test_what_a_certificate_needs_cannot_be_emptied(name: str) -> None:
    assert found({name: " "}) == {name: [slips.EMPTIED]}


def test_every_slip_is_told_at_once_and_each_at_its_field() -> None:
    told = found({"price": "x", "works_from": "y", "mail_wanted": "yes", "mail_address": "z", "reason": "理" * 1001})

    assert told == {
        "price": [slips.NO_YEN],
        "works_from": [slips.NO_DAY],
        "mail_address": [slips.UNLIKE_AN_ADDRESS],
        "reason": [slips.REASON_TOO_LONG],
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"jv_name": "○○JV"},
        {"price": "０"},
        {"amount": "９０,０００,０００円"},
        {"works_until": "2020-01-01"},
        {"depository": "half width bank"},
        {"project_name": "市道△△線", "reason": "理" * REASON_CHARS_MAX},
        {"project_name": "市道△△線", "reason": "理\r\n" * (REASON_CHARS_MAX // 2)},
        {"project_name": "市道△△線", "mail_address": "not wished for"},
    ],
)
def test_whether_readable_values_are_allowed_is_left_to_the_doors(changed: dict[str, str]) -> None:
    assert found(changed) == {}


def test_what_nobody_touched_is_no_slip() -> None:
    """A paper may have been taken in without what a form of today asks for."""
    paper: dict[str, Any] = {"certificate_form": "paper", "status": "paper_ordered", "depository": None}

    assert found({"project_name": "市道△△線"}, row={"state": "ordered"}, **paper) == {}


def test_an_untouched_form_is_a_slip_unless_it_sends_a_refused_certificate_again() -> None:
    refused: dict[str, Any] = {"status": "refused_by_platform", "status_ja": "確認中(弊社対応)", "version": None}

    assert found({}) == {"": [slips.NOTHING_MENDED]}
    assert found({}, row={"state": "refused"}, **refused) == {}


def test_a_wished_mail_needs_an_address() -> None:
    told = found({"mail_wanted": "yes", "mail_address": " "}, ChangeKind.TERMINATION)

    assert told == {"mail_address": [slips.NO_ADDRESS]}


@pytest.mark.parametrize("kind", [ChangeKind.CANCELLATION, ChangeKind.TERMINATION])
def test_what_cannot_be_undone_needs_a_confirmation(kind: ChangeKind) -> None:
    one = folder(row(1))
    draft = new_draft(one)

    assert slips_of(one, kind, draft) == {"confirmed": [slips.UNCONFIRMED]}
    assert slips_of(one, kind, replace(draft, confirmed=True)) == {}
