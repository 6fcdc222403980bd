"""What the office types becomes the change it means, and nothing that was not touched is sent along."""

import re
from typing import Any

import pytest

from simulators.core.changes import (
    ChangeKind,
    body_of,
    by_field,
    corrections_of,
    fields_of,
    labels_of,
    new_draft,
    read_draft,
)
from tests.unit.simulators.folders import NUMBER, example, folder, row

REFUSED = {"status": "refused_by_platform", "status_ja": "確認中(弊社対応)", "version": None}


def typed(changed: dict[str, str], **of_folder: Any) -> dict[str, Any]:
    """The corrections that are sent when the form comes back with these fields changed."""
    one = folder(row(1, **of_folder.pop("row", {})), **of_folder)
    blank = new_draft(one)
    return corrections_of(one, read_draft(one, dict(blank.typed) | changed))


def test_an_untouched_form_corrects_nothing() -> None:
    assert typed({}) == {}


@pytest.mark.parametrize("amount", ["19000000", "19,000,000", "１９，０００，０００円", " 19000000 "])
def test_only_what_differs_is_sent_and_money_is_read_in_any_width(amount: str) -> None:
    assert typed({"amount": amount}) == {"amount": 19_000_000}


def test_the_same_amount_written_otherwise_is_no_correction() -> None:
    assert typed({"price": "５０,０００,０００"}) == {}


def test_what_is_no_amount_goes_as_it_was_typed_so_that_the_door_says_why() -> None:
    assert typed({"price": "五千万", "amount": "-1"}) == {"price": "五千万", "amount": "-1"}


def test_an_emptied_field_is_null() -> None:
    assert typed({"jv_name": "○○JV", "depository": ""}) == {"jv_name": "○○JV", "depository": None}


def test_a_refused_certificate_can_be_sent_again_as_it_is() -> None:
    """Rule 12 asks for one corrected field; naming one with its own value changes nothing and mends the refusal."""
    assert typed({}, row={"state": "refused"}, **REFUSED) == {"project_name": "市道○○線道路改良工事"}
    assert typed({"project_name": "市道△△線"}, row={"state": "refused"}, **REFUSED) == {"project_name": "市道△△線"}


def test_a_paper_is_corrected_from_its_application_and_overview() -> None:
    paper = {"certificate_form": "paper", "status": "paper_ordered", "price": 60_000_000}

    assert typed({}, row={"state": "ordered"}, **paper) == {}
    assert typed({"works_until": "2027-01-31"}, row={"state": "ordered"}, **paper) == {"works_until": "2027-01-31"}


def test_a_depository_is_asked_for_where_an_advance_payment_is_kept() -> None:
    names = {kind: {one.name for one in fields_of(folder(row(1), kind=kind))} for kind in KINDS}

    assert [("depository" in names[kind]) for kind in KINDS] == [True, True, False]


KINDS = ("advance_payment", "interim_advance_payment", "contract_performance")


def test_a_correction_has_the_published_shape() -> None:
    one = folder(row(1))
    blank = new_draft(one)
    sent = dict(blank.typed) | {"amount": "19000000", "reason": " 誤記 ", "change_id": blank.change_id}
    sent |= {"base_version": "1", "mail_wanted": "yes", "mail_address": " keiri@kensetsu.example "}
    body = body_of(one, ChangeKind.CORRECTION, read_draft(one, sent))

    assert set(body) <= set(example("change"))
    assert body | {"submitted_at": ""} == {
        "change_id": blank.change_id,
        "portal": "office",
        "submitted_at": "",
        "customer_number": None,
        "guarantee_number": NUMBER,
        "base_version": 1,
        "version_kind": "correction",
        "corrections": {"amount": 19_000_000},
        "reason": "誤記",
        "completion_mail": {"wanted": True, "address": "keiri@kensetsu.example"},
    }
    assert body["submitted_at"].endswith("+09:00")


@pytest.mark.parametrize("kind", [ChangeKind.CANCELLATION, ChangeKind.TERMINATION])
def test_ending_and_taking_back_carry_no_values(kind: ChangeKind) -> None:
    one = folder(row(1))
    body = body_of(one, kind, read_draft(one, {"amount": "1", "mail_address": "keiri@kensetsu.example"}))

    assert (body["version_kind"], body["corrections"]) == (kind.value, {})
    assert body["completion_mail"] == {"wanted": False, "address": None}


def test_a_form_sent_twice_is_one_change_and_a_foreign_id_is_none_of_ours() -> None:
    one = folder(row(1))
    blank = new_draft(one)
    again = [read_draft(one, {"change_id": blank.change_id}).change_id for _ in range(2)]
    foreign = read_draft(one, {"change_id": "A-2026-000456", "base_version": "x"})

    assert again == [blank.change_id, blank.change_id]
    assert re.fullmatch(r"OFFICE-[0-9a-f-]{36}", foreign.change_id)
    assert foreign.base_version == 1


def test_problems_stand_at_their_fields() -> None:
    def problem(pointer: str) -> dict[str, str]:
        return {"pointer": pointer, "message_ja": f"「{pointer}」"}

    pointers = ["/corrections/price", "/corrections/price", "/completion_mail/address", "/reason", "/base_version", ""]
    shown = labels_of(folder(row(1)), ChangeKind.CORRECTION)
    told = by_field([problem(pointer) for pointer in pointers], shown)

    assert told == {
        "price": ["「/corrections/price」", "「/corrections/price」"],
        "mail_address": ["「/completion_mail/address」"],
        "reason": ["「/reason」"],
        "": ["「/base_version」", "「」"],
    }


def test_a_problem_with_a_field_that_the_form_does_not_show_is_told_all_the_same() -> None:
    problem = {"pointer": "/completion_mail/address", "message_ja": "送信できません。"}
    paper = labels_of(folder(row(1, state="ordered"), certificate_form="paper"), ChangeKind.TERMINATION)

    assert by_field([problem], paper) == {"": ["送信できません。"]}


def test_a_new_form_bears_the_wish_for_mail_that_the_application_had() -> None:
    electronic = new_draft(folder(row(1)))
    paper = new_draft(folder(row(1, state="ordered"), certificate_form="paper"))

    assert (electronic.mail_wanted, electronic.mail_address) == (True, "keiri@kensetsu.example")
    assert (paper.mail_wanted, paper.mail_address) == (False, "")
