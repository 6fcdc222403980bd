"""The form: nothing is coerced, every wrong field is told once at its place, and the others are judged all the same."""

from typing import Any

import pytest

from services.intake.domain import form
from services.intake.domain.fields import CompletionMail, Part, Unread
from services.intake.domain.form import Application
from services.intake.domain.reading import read_part
from tests.unit.intake.samples import EXAMPLE, GONE, INTERIM, changed, codes, good, judged, problems

_FIELDS = [
    *(f"/{name}" for name in EXAMPLE),
    *(f"/{part}/{name}" for part in ("contractor", "contract", "completion_mail", "contact") for name in EXAMPLE[part]),
    *(f"/guarantees/{index}/{name}" for index, line in enumerate(EXAMPLE["guarantees"]) for name in line),
]
_MAY_BE_LEFT_OUT = {
    "/paper_delivery",
    "/contractor/jv_name",
    "/contract/tender_notice_date",
    "/contract/fiscal_year_amount",
    "/contract/fiscal_year",
    "/guarantees/0/redeposit",
    "/contact/department",
    "/contact/title",
    "/message_to_guarantor",
}
_NEEDED_BY_A_RULE = {
    "/guarantees/0/depository": "depository_needed",
    "/completion_mail/address": "mail_address_needed",
}


def test_the_published_example_is_accepted_without_a_remark() -> None:
    verdict = good({})

    assert verdict.remarks == ()
    assert verdict.application == verdict.submitted
    kept = verdict.application.model_dump(mode="json", exclude_unset=True)
    assert kept == {**EXAMPLE, "submitted_at": "2026-01-15T09:30:00.000+09:00"}


def test_every_field_of_the_form_is_kept_as_it_was_sent() -> None:
    """Also those that no rule looks at: the office, the premium's way and the message go on with the application."""
    interim = {**INTERIM, "redeposit": True, "paper_premium_statement": True, "premium_billed_to": "○○支店"}
    sent = changed(
        {
            "/guarantees": [EXAMPLE["guarantees"][0], interim],
            "/contract/fiscal_year_amount": 50_000_000,
            "/contract/fiscal_year": 2026,
            "/contractor/jv_name": "○○・××特定建設工事共同企業体",
            "/message_to_guarantor": "至急\nお願いします。",
            "/paper_delivery": "mail",
            "/submitted_at": "2026-01-15T09:30:00.000+09:00",
        }
    )
    form = {f"/{name}": value for name, value in sent.items()}

    assert good(form).application.model_dump(mode="json", exclude_none=True) == sent


@pytest.mark.parametrize("pointer", _FIELDS)
@pytest.mark.parametrize("gone", [GONE, None], ids=["left out", "null"])
def test_a_field_that_is_missing_is_the_only_problem(pointer: str, gone: object) -> None:
    expected = (_NEEDED_BY_A_RULE.get(pointer, "missing"), pointer)

    assert codes({pointer: gone}) == ([] if pointer in _MAY_BE_LEFT_OUT else [expected])


@pytest.mark.parametrize("pointer", _FIELDS)
@pytest.mark.parametrize("wrong", [5e7, {"a": 1}, [[1]]], ids=["5e7", "object", "list of lists"])
def test_a_value_of_a_wrong_type_is_the_only_problem(pointer: str, wrong: object) -> None:
    """So no rule judged a stand-in for the field that could not be read."""
    found = codes({pointer: wrong})

    if pointer == "/guarantees" and isinstance(wrong, list):
        assert found == [("not_an_object", "/guarantees/0")]
    elif isinstance(wrong, dict) and isinstance(_at(pointer), dict):
        assert {code for code, _ in found} == {"missing"}
    else:
        assert [where for _, where in found] == [pointer]


def _at(pointer: str) -> Any:
    place: Any = EXAMPLE
    for name in pointer.strip("/").split("/"):
        place = place[int(name)] if isinstance(place, list) else place[name]
    return place


@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/contract/price", "50000000", "not_an_integer"),
        ("/contract/price", True, "not_an_integer"),
        ("/contract/price", 50_000_000.0, "not_an_integer"),
        ("/contract/low_bid", 0, "not_a_boolean"),
        ("/contract/low_bid", "false", "not_a_boolean"),
        ("/contact/name", 5, "not_text"),
        ("/contact/name", " \u3000", "blank"),
        ("/contact/name", "", "blank"),
        ("/contact/name", "三島\n太郎", "line_break"),
        ("/contact/department", "\t", "blank"),
        ("/contact/department", "工務\t部", "line_break"),
        ("/guarantees", {}, "not_a_list"),
        ("/guarantees/1", "x", "not_an_object"),
        ("/contract", [], "not_an_object"),
        ("/guarantees/0/kind", "bid_bond", "not_one_of"),
        ("/guarantees/0/kind", [], "not_one_of"),
        ("/guarantees/0/certificate_form", "Electronic", "not_one_of"),
        ("/contract/works_kind", True, "not_one_of"),
        ("/contract/obligee_code", "22206", "malformed"),
        ("/contract/obligee_code", "２２２０６２", "malformed"),
        ("/guarantees/0/earlier_guarantee_number", "00000-00001", "malformed"),
        ("/portal", "Portal A", "malformed"),
        ("/contract/fiscal_year", 1899, "year_out_of_range"),
        ("/contract/fiscal_year", 2200, "year_out_of_range"),
        ("/submitted_at", "2026-01-15T09:30:00", "not_a_time"),
        ("/submitted_at", "2026-01-15", "not_a_time"),
        ("/submitted_at", "2026-02-30T09:30:00Z", "impossible_date"),
        ("/submitted_at", "0001-01-01T00:00:00+14:00", "year_out_of_range"),
        ("/contract/contract_date", "2026-02-29", "impossible_date"),
        ("/contract/contract_date", "2026/01/20", "not_a_date"),
        ("/contract/contract_date", "", "not_a_date"),
        ("/contract/contract_date", 20260120, "not_text"),
        ("/contract/contract_date", "1899-12-31", "year_out_of_range"),
    ],
)
def test_nothing_is_coerced_and_each_refusal_has_its_code(pointer: str, value: object, code: str) -> None:
    assert codes({pointer: value}) == [(code, pointer)]


@pytest.mark.parametrize(
    ("pointer", "chars_max"),
    [
        ("/contractor/customer_number", form.CUSTOMER_NUMBER_CHARS_MAX),
        ("/contractor/name", form.NAME_CHARS_MAX),
        ("/contractor/jv_name", form.NAME_CHARS_MAX),
        ("/contract/project_name", form.PROJECT_NAME_CHARS_MAX),
        ("/receiving_office", form.OFFICE_CHARS_MAX),
        ("/guarantees/0/depository", form.DEPOSITORY_CHARS_MAX),
        ("/guarantees/1/premium_payment_method", form.CODE_CHARS_MAX),
        ("/contact/phone", form.PHONE_CHARS_MAX),
        ("/message_to_guarantor", form.MESSAGE_CHARS_MAX),
    ],
)
def test_the_limit_on_characters_is_exact(pointer: str, chars_max: int) -> None:
    assert codes({pointer: "島" * chars_max}) == []
    assert codes({pointer: "島" * (chars_max + 1)}) == [("too_long", pointer)]


@pytest.mark.parametrize("given", ["A", "a/b", "A-2026~!", "x" * 64])
def test_an_application_id_is_up_to_64_visible_ascii_characters(given: str) -> None:
    assert judged({"/application_id": given}).id == given


@pytest.mark.parametrize("given", ["", " ", "a b", "申込1", "x" * 65, ".", "..", 5, None])
def test_an_application_id_that_cannot_be_told_back_is_none(given: object) -> None:
    result = judged({"/application_id": given})

    assert result.id is None
    assert [pointer for _, pointer in codes({"/application_id": given})] == ["/application_id"]


def test_an_empty_text_where_null_may_stand_is_null() -> None:
    assert good({"/contractor/jv_name": ""}).application.contractor.jv_name is None


def test_a_message_may_have_several_lines() -> None:
    assert good({"/message_to_guarantor": "一行目\r\n二行目"}).application.message_to_guarantor == "一行目\r\n二行目"


def test_unknown_fields_are_ignored_at_every_level() -> None:
    unknown = {"/x": 1e20, "/contract/x": [{}], "/guarantees/0/x": None, "/completion_mail/x": {"y": []}}

    assert codes(unknown) == []


def test_more_lines_than_the_limit_are_told_and_the_first_are_judged() -> None:
    lines = [EXAMPLE["guarantees"][1]] * (form.GUARANTEES_MAX + 1)
    found = codes({"/guarantees": lines})

    assert found[0] == ("too_many_items", "/guarantees")
    assert [code for code, _ in found[1:]] == ["kind_repeated"] * (form.GUARANTEES_MAX - 1)


def test_a_problem_names_the_field_as_the_form_does() -> None:
    (told,) = problems({"/contract/price": GONE})

    assert told.message_ja == "「請負金額」は必須です。"
    assert told.message_en == "price is required."


def test_whole_and_field_by_field_reading_agree() -> None:
    """The quick reading of a whole form and the slow one of a broken form see the same values."""
    whole, _ = read_part(Application, EXAMPLE)
    broken, _ = read_part(Application, changed({"/contact/phone": 5}))

    assert whole.model_dump(exclude={"contact"}) == broken.model_dump(exclude={"contact"})
    assert broken.contact.name == whole.contact.name


def test_asking_for_an_unread_field_ends_the_question() -> None:
    read, _ = read_part(Application, changed({"/contact/phone": 5, "/contract": 5, "/contractor/jv_name": 5}))

    for ask in (lambda: read.contact.phone, lambda: read.contract.price, lambda: read.contractor.jv_name):
        with pytest.raises(Unread):
            ask()


def test_every_field_of_the_form_has_its_japanese_name() -> None:
    parts: list[type[Part]] = [
        Application,
        form.Contractor,
        form.Contract,
        form.Guarantee,
        CompletionMail,
        form.Contact,
    ]
    untitled = [
        f"{part.__name__}.{name}" for part in parts for name in part.model_fields if not part.model_fields[name].title
    ]
    assert untitled == []
