"""The catalogue: every code is told by something that can be sent, at a place that the catalogue names, and by nothing
else; what it says is a sentence in both languages."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from services.intake.domain.body import BODY_BYTES_MAX
from services.intake.domain.catalogue import CATALOGUE, POINTER_CHARS_MAX, REMARKS, Code, problem
from services.intake.domain.decision import Book, Refuse, decide
from services.intake.domain.judgement import judge
from services.intake.domain.obligees import Registry, read_registry
from services.intake.domain.verdict import Bad, Judged
from services.intake.web.shapes import catalogue
from shared.inputs import input_problem
from tests.unit.intake.changes import CORRECTION, change_codes, good_change, judged_change
from tests.unit.intake.samples import (
    DOOR,
    EXAMPLE,
    GONE,
    INTERIM,
    ROOT,
    body_of,
    changed,
    codes,
    good,
    judged,
    refusal_of,
)

Told = list[tuple[str, str]]

ADVANCE, PERFORMANCE = EXAMPLE["guarantees"]
PREFECTURE = {"/contract/obligee_code": "990001", "/contract/obligee_name": "○○県知事"}
CITY = {"/contract/obligee_code": "990019", "/contract/obligee_name": "○○市長"}


def _sent(raw: bytes) -> Callable[[], Told]:
    return lambda: refusal_of(raw)


def _with(changes: dict[str, Any]) -> Callable[[], Told]:
    return lambda: codes(changes)


def _in_price(raw: bytes) -> Callable[[], Told]:
    return _sent(body_of(changed({"/contract/price": "PRICE"})).replace(b'"PRICE"', raw))


def _change(changes: dict[str, Any], base: dict[str, Any] | None = None) -> Callable[[], Told]:
    return lambda: change_codes(changes, base) if base else change_codes(changes)


def _remark(changes: dict[str, Any]) -> Callable[[], Told]:
    return lambda: [(told.code, told.pointer) for told in good(changes).remarks]


def _no_longer_electronic() -> Told:
    text = (ROOT / "deploy" / "obligees.toml").read_text(encoding="utf-8")
    ended = text.replace("valid_from = 2026-01-01", "valid_from = 2025-01-01\nvalid_until = 2026-01-19")
    registry = read_registry(ended)
    assert isinstance(registry, Registry)
    result = judge(body_of(EXAMPLE), DOOR, registry)
    assert isinstance(result, Judged)
    assert isinstance(result.verdict, Bad)
    return [(told.code, told.pointer) for told in result.verdict.problems]


def _taken() -> Told:
    decided = [decide(Book.APPLICATIONS, judged({}), "other"), decide(Book.CHANGES, judged_change({}), "other")]
    return [(told.code, told.pointer) for one in decided if isinstance(one, Refuse) for told in one.problems]


def _parameter() -> Told:
    told = input_problem({"type": "int_parsing", "loc": ("query", "limit"), "msg": "x"})
    return [(told.code, told.pointer)]


def _nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


TELLS: Final[dict[Code, Callable[[], Told]]] = {
    Code.BODY_TOO_LARGE: _sent(b" " * (BODY_BYTES_MAX + 1)),
    Code.BODY_NOT_UTF8: _sent(b"\xff"),
    Code.BODY_HAS_BOM: _sent(b"\xef\xbb\xbf{}"),
    Code.BODY_TOO_DEEP: _sent(_nested(100)),
    Code.BODY_NOT_JSON: _sent(b"{"),
    Code.BODY_NOT_AN_OBJECT: _sent(b"[]"),
    Code.DUPLICATE_KEY: _sent(body_of(EXAMPLE)[:-1] + b', "portal": 1}'),
    Code.NUMBER_NOT_FINITE: _in_price(b"NaN"),
    Code.NUMBER_OUT_OF_RANGE: _in_price(b"9007199254740992"),
    Code.CONTROL_CHARACTER: _in_price(rb'"\u0000"'),
    Code.LONE_SURROGATE: _in_price(rb'"\ud800"'),
    Code.TOO_MANY_PROBLEMS: _in_price(b"[" + b",".join([b"NaN"] * 200) + b"]"),
    Code.MISSING: _with({"/contract/price": GONE}),
    Code.NOT_AN_OBJECT: _with({"/contract": 5}),
    Code.NOT_A_LIST: _with({"/guarantees": 5}),
    Code.TOO_MANY_ITEMS: _with({"/guarantees": [ADVANCE] * 11}),
    Code.NOT_TEXT: _with({"/contact/name": 5}),
    Code.NOT_AN_INTEGER: _with({"/contract/price": 5.0}),
    Code.NOT_A_BOOLEAN: _with({"/contract/low_bid": 0}),
    Code.NOT_ONE_OF: _with({"/guarantees/0/kind": "bid_bond"}),
    Code.TOO_LONG: _with({"/contact/name": "x" * 201}),
    Code.BLANK: _with({"/contact/name": " "}),
    Code.LINE_BREAK: _with({"/contact/name": "a\nb"}),
    Code.MALFORMED: _with({"/contract/obligee_code": "1"}),
    Code.NOT_A_DATE: _with({"/contract/contract_date": "soon"}),
    Code.IMPOSSIBLE_DATE: _with({"/contract/contract_date": "2026-02-29"}),
    Code.NOT_A_TIME: _with({"/submitted_at": "soon"}),
    Code.YEAR_OUT_OF_RANGE: _with({"/contract/contract_date": "2200-01-01"}),
    Code.PARAMETER_INVALID: _parameter,
    Code.PORTAL_MISMATCH: _with({"/portal": "portal-b"}),
    Code.NO_GUARANTEE: _with({"/guarantees": []}),
    Code.KIND_REPEATED: _with({"/guarantees": [ADVANCE, ADVANCE]}),
    Code.PERFORMANCE_WITHOUT_ADVANCE: _with({"/contract/advance_payment_planned": False}),
    Code.OBLIGEE_CODE_CHECK_DIGIT: _with({"/contract/obligee_code": "222063"}),
    Code.OBLIGEE_NOT_ELECTRONIC: _with({"/contract/obligee_name": "三島市議会議長"}),
    Code.OBLIGEE_NOT_ELECTRONIC_ON_DATE: _with({"/contract/contract_date": "2025-12-31"}),
    Code.OBLIGEE_NO_LONGER_ELECTRONIC: _no_longer_electronic,
    Code.OBLIGEE_NOT_ELECTRONIC_FOR_KIND: _with(
        {**PREFECTURE, "/contract/works_kind": "survey", "/guarantees/1/certificate_form": "electronic"}
    ),
    Code.TENDER_NOTICE_DATE_NEEDED: _with({**CITY, "/contract/tender_notice_date": None}),
    Code.NOT_POSITIVE: _with({"/contract/price": 0}),
    Code.AMOUNT_OVER_BASE: _with({"/guarantees/1/amount": 50_000_001}),
    Code.FISCAL_YEAR_AMOUNT_OVER_PRICE: _with({"/contract/fiscal_year_amount": 50_000_001}),
    Code.FISCAL_YEAR_OUTSIDE_WORKS: _with({"/contract/fiscal_year_amount": 50_000_000, "/contract/fiscal_year": 2000}),
    Code.WORKS_END_BEFORE_START: _with({"/contract/works_from": "2026-12-26"}),
    Code.CONTRACT_AFTER_WORKS: _with({"/contract/contract_date": "2026-12-26"}),
    Code.ADVANCE_NOT_PAID: _with({**PREFECTURE, "/contract/works_kind": "survey"}),
    Code.ADVANCE_NOT_PAID_BELOW_PRICE: _with(
        {**CITY, "/contract/tender_notice_date": "2026-04-01", "/contract/price": 1_299_999}
    ),
    Code.ADVANCE_OVER_MAXIMUM: _with({"/guarantees/0/amount": 20_000_001}),
    Code.INTERIM_OVER_MAXIMUM: _with({"/guarantees": [{**INTERIM, "amount": 10_000_001}]}),
    Code.EARLIER_GUARANTEE_NUMBER_NEEDED: _with({"/guarantees": [{**INTERIM, "earlier_guarantee_number": None}]}),
    Code.INTERIM_APPROVAL_NEEDED: _with({"/guarantees": [{**INTERIM, "interim_approval": False}]}),
    Code.PERFORMANCE_UNDER_MINIMUM: _with({"/guarantees/1/amount": 4_999_999}),
    Code.DEPOSITORY_NEEDED: _with({"/guarantees/0/depository": None}),
    Code.DEPOSITORY_NOT_FULL_WIDTH: _with({"/guarantees/0/depository": "①"}),
    Code.DEPOSITORY_ONLY_ON_ADVANCE: _with({"/guarantees/1/redeposit": True}),
    Code.MAIL_ADDRESS_NEEDED: _with({"/completion_mail/address": None}),
    Code.MAIL_ADDRESS_MALFORMED: _with({"/completion_mail/address": "x"}),
    Code.APPLICATION_ID_TAKEN: _taken,
    Code.VERSION_KIND_FOR_OFFICE_ONLY: _change({"/version_kind": "termination"}),
    Code.BASE_VERSION_NOT_POSITIVE: _change({"/base_version": 0}),
    Code.CHANGES_NOTHING: _change({"/price": None, "/amount": None}),
    Code.NOT_FOR_VERSION_KIND: _change({"/amount": 1}, CORRECTION),
    Code.UNKNOWN_CORRECTION: _change({"/corrections": {"x": 1}}, CORRECTION),
    Code.CHANGE_ID_TAKEN: _taken,
    Code.DEPOSITORY_NORMALISED: _remark({"/guarantees/0/depository": "A銀行"}),
    Code.DEPOSITORY_SIGN_REPLACED: _remark({"/guarantees/0/depository": "○～×"}),
    Code.NO_MAIL_FOR_PAPER: _remark({"/guarantees/0/certificate_form": "paper"}),
    Code.FISCAL_YEAR_FILLED_IN: _remark({"/contract/fiscal_year_amount": 50_000_000}),
    Code.WORKS_ALREADY_OVER: _remark({"/submitted_at": "2026-12-26T00:00:00+09:00"}),
    Code.CONTRACT_DATE_NOT_YET: _remark({"/contract/contract_date_planned": False}),
    Code.PLANNED_CONTRACT_DATE_PASSED: _remark({"/contract/contract_date": "2026-01-14"}),
    Code.TENDER_NOTICE_AFTER_CONTRACT: _remark({"/contract/tender_notice_date": "2026-01-21"}),
    Code.ADVANCE_NOT_PLANNED: _remark({"/contract/advance_payment_planned": False, "/guarantees": [ADVANCE]}),
}
"""What makes intake tell each code."""


def named(pointer: str, pattern: str) -> bool:
    """Whether a pointer is one of those that a pattern of the catalogue names."""
    if pattern == "**":
        return True
    steps = ("[^/]+" if step == "*" else re.escape(step) for step in pattern.split("/"))
    return re.fullmatch("/".join(steps), pointer) is not None


@pytest.mark.parametrize("code", list(Code), ids=str)
def test_every_code_can_be_told_and_stands_at_a_place_that_the_catalogue_names(code: Code) -> None:
    told = TELLS[code]()

    assert code in [found for found, _ in told]
    for found, pointer in told:
        assert any(named(pointer, pattern) for pattern in CATALOGUE[Code(found)].pointers), (found, pointer)


def test_every_code_has_its_words_and_its_way_to_be_told() -> None:
    assert set(TELLS) == set(CATALOGUE) == set(Code)


@pytest.mark.parametrize(("code", "said"), list(CATALOGUE.items()), ids=lambda value: str(value)[:40])
def test_what_a_code_says_is_a_sentence_in_both_languages(code: Code, said: Any) -> None:
    assert said.ja.endswith(("。", "{expected_ja}"))
    assert said.en.endswith((".", "{expected_en}"))
    assert said.meaning.endswith(".")
    assert said.pointers
    assert re.search(r"[ぁ-んァ-ヶ一-龠]", said.ja)
    assert re.fullmatch(r"[a-z0-9_]+", code)


def test_a_change_is_told_of_at_places_that_the_catalogue_names() -> None:
    values = {"price": 0, "amount": 0, "works_from": "2026-02-02", "works_until": "2026-02-01", "depository": "①"}
    found = change_codes({"/corrections": {**values, "contract_date": "2026-02-02", "x": 1}}, CORRECTION)
    remarks = good_change({"/corrections": {"works_until": "2020-01-01", "depository": "A～"}}, CORRECTION).remarks

    assert len(found) == 6
    for code, pointer in [*found, *((told.code, told.pointer) for told in remarks)]:
        assert any(named(pointer, pattern) for pattern in CATALOGUE[Code(code)].pointers), (code, pointer)


def test_the_catalogue_is_served_whole_and_tells_remarks_from_problems() -> None:
    served = catalogue().problems

    assert [entry.code for entry in served] == [code.value for code in CATALOGUE]
    assert {entry.code for entry in served if entry.is_remark} == {code.value for code in REMARKS}
    assert json.dumps([entry.model_dump(mode="json") for entry in served])


def test_a_pointer_is_cut_to_an_ancestor() -> None:
    assert problem(Code.DUPLICATE_KEY, "/a/" + "b" * POINTER_CHARS_MAX).pointer == "/a"
