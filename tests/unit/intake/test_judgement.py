"""One verdict for every body: identity, limits on the answer, and that nothing that is sent goes unanswered."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.body import Unreadable
from services.intake.domain.catalogue import Code
from services.intake.domain.decision import Accept, Book, Outcome, Refuse, Repeat, decide
from services.intake.domain.judgement import Good, JudgedApplication, judge
from services.intake.domain.verdict import PROBLEMS_MAX, Bad, Judged
from shared.problems import Problem
from tests.unit.intake import mutations
from tests.unit.intake.samples import DOOR, EXAMPLE, GONE, REGISTRY, body_of, changed, good, judged

ANSWER_BYTES_MAX = 262_144
DICE = st.randoms(use_true_random=True)


def _digest(document: object) -> str | None:
    result = judge(body_of(document), DOOR, REGISTRY)
    assert isinstance(result, Judged)
    return result.digest


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(inner) for name, inner in reversed(value.items())}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def test_the_order_of_keys_spacing_escapes_and_the_time_of_sending_do_not_count() -> None:
    same = [
        json.dumps(_reversed(EXAMPLE), indent=2).encode(),
        body_of(changed({"/submitted_at": "2026-01-16T00:00:00Z"})),
        body_of(changed({"/submitted_at": GONE})),
    ]

    for body in same:
        result = judge(body, DOOR, REGISTRY)
        assert isinstance(result, Judged)
        assert result.digest == _digest(EXAMPLE)


@pytest.mark.parametrize(
    "changes",
    [
        {"/contract/price": 50_000_001},
        {"/contract/low_bid": 0},
        {"/guarantees": EXAMPLE["guarantees"][::-1]},
        {"/contractor/jv_name": GONE},
        {"/contact/submitted_at": "x"},
        {"/unknown": 1},
        {"/portal": "portal-b"},
        {"/contract/contract_date": "令和8年1月20日"},
    ],
)
def test_everything_else_counts(changes: dict[str, Any]) -> None:
    assert _digest(changed(changes)) != _digest(EXAMPLE)


def test_what_is_unsound_is_the_repeat_of_nothing() -> None:
    doubled = body_of(EXAMPLE).replace(b'"price": 50000000', b'"price": 50000000, "price": 50000000')
    result = judge(doubled, DOOR, REGISTRY)

    assert isinstance(result, Judged)
    assert result.digest is None


def test_an_accepted_id_repeats_or_conflicts_whatever_the_rules_say_by_now() -> None:
    first, other, bad = judged({}), judged({"/receiving_office": "沼津支店"}), judged({"/contract/price": 0})
    assert isinstance(first.verdict, Good)

    assert decide(Book.APPLICATIONS, first, None) == Accept(first.verdict)
    assert decide(Book.APPLICATIONS, first, first.digest) == Repeat()
    assert decide(Book.APPLICATIONS, bad, bad.digest) == Repeat()
    for late in (other, bad):
        decision = decide(Book.APPLICATIONS, late, first.digest)
        assert isinstance(decision, Refuse)
        assert (decision.outcome, decision.problems[0].code) == (Outcome.CONFLICTED, "application_id_taken")


def test_a_rejected_application_is_not_told_that_its_id_is_taken_unless_it_is() -> None:
    decision = decide(Book.APPLICATIONS, judged({"/contract/price": 0}), None)

    assert isinstance(decision, Refuse)
    assert decision.outcome is Outcome.REJECTED


def test_another_portals_application_has_no_identity_at_this_door() -> None:
    decision = decide(Book.APPLICATIONS, judged({"/portal": "portal-b"}), "some digest")

    assert isinstance(decision, Refuse)
    assert [told.code for told in decision.problems] == ["portal_mismatch"]


def test_with_no_electronic_line_no_mail_is_kept_and_the_portal_is_told() -> None:
    verdict = good({"/guarantees/0/certificate_form": "paper", "/completion_mail/address": "whatever it says"})

    assert verdict.application.completion_mail.model_dump() == {"wanted": False, "address": None}
    assert [remark.code for remark in verdict.remarks] == ["no_mail_for_paper"]


def test_with_no_mail_wished_the_address_is_not_kept() -> None:
    verdict = good({"/completion_mail": {"wanted": False, "address": "keiri@kensetsu.example"}})

    assert verdict.application.completion_mail.address is None
    assert verdict.remarks == ()


def _worst_answers() -> list[bytes]:
    unknown = "\u3042" * 84
    lines = [{**EXAMPLE["guarantees"][0], "depository": "-" * 100, "kind": "advance_payment"}] * 10
    return [
        json.dumps({f"{unknown}{number}": 10**20 for number in range(500)}, ensure_ascii=False).encode(),
        b'{"guarantees":[' + b",".join([b"[]"] * 80_000) + b"]}",
        b"{" + b",".join([b'"a":1'] * 40_000) + b"}",
        body_of(changed({"/guarantees": lines, "/contract/obligee_name": "\U0001f600" * 100})),
    ]


@pytest.mark.parametrize("body", _worst_answers(), ids=["unknown", "lines", "twice", "depository"])
def test_an_answer_always_fits_into_one_message(body: bytes) -> None:
    result = judge(body, DOOR, REGISTRY)
    assert isinstance(result, Judged)
    assert isinstance(result.verdict, Bad)
    told = result.verdict.problems

    assert len(told) <= PROBLEMS_MAX + 1
    assert sum(len(one.model_dump_json().encode()) for one in told) < ANSWER_BYTES_MAX
    if len(told) > PROBLEMS_MAX:
        assert told[-1].code == "too_many_problems"


@pytest.mark.parametrize(("unsound", "listed"), [(PROBLEMS_MAX, PROBLEMS_MAX), (PROBLEMS_MAX + 1, PROBLEMS_MAX + 1)])
def test_more_problems_than_can_be_listed_are_counted(unsound: int, listed: int) -> None:
    body = body_of(EXAMPLE)[:-1] + b', "x": [' + b",".join([b"NaN"] * unsound) + b"]}"
    result = judge(body, DOOR, REGISTRY)
    assert isinstance(result, Judged)
    told = _bad(result).problems

    assert len(told) == listed
    assert (told[-1].code == "too_many_problems") == (unsound > PROBLEMS_MAX)


def test_the_largest_form_that_is_accepted_fits_into_one_message() -> None:
    verdict = good(
        {
            "/message_to_guarantor": "\U0001f600" * 2_000,
            "/contract/project_name": "\U0001f600" * 200,
            "/contractor/name": "\U0001f600" * 200,
            "/unknown": "x" * 200_000,
        }
    )

    assert len(verdict.application.model_dump_json().encode()) < ANSWER_BYTES_MAX // 4


@given(dice=DICE)
@settings(max_examples=1_000, deadline=None)
def test_every_body_ends_as_exactly_one_of_good_bad_and_unreadable(dice: random.Random) -> None:
    body = mutations.body(dice)
    result = judge(body, DOOR, REGISTRY)

    if isinstance(result, Judged) and isinstance(result.verdict, Good):
        assert result.id == result.verdict.application.application_id
        assert result.is_for_this_door
        assert result.digest == result.verdict.digest
        _survives(result.verdict.application.model_dump_json())
        return
    problems = result.problems if isinstance(result, Unreadable) else _bad(result).problems
    assert problems
    for told in problems:
        _survives(told.model_dump_json())
        assert told.code in set(Code)
        assert "{" not in told.message_ja + told.message_en
    assert len({(told.code, told.pointer) for told in problems}) == len(problems) or _repeats_allowed(problems)


def _bad(result: JudgedApplication) -> Bad:
    assert isinstance(result.verdict, Bad)
    return result.verdict


def _repeats_allowed(problems: tuple[Problem, ...]) -> bool:
    return any(told.code in ("duplicate_key", "control_character", "lone_surrogate") for told in problems)


def _survives(text: str) -> None:
    """What goes out is UTF-8 that PostgreSQL takes as JSON."""
    assert "\\u0000" not in text
    text.encode("utf-8")
    json.loads(text)


@given(dice=DICE)
@settings(max_examples=500, deadline=None)
def test_a_verdict_is_the_same_each_time(dice: random.Random) -> None:
    body = mutations.body(dice)
    assert judge(body, DOOR, REGISTRY) == judge(body, DOOR, REGISTRY)
