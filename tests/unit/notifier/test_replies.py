"""What each answer of a mail server means, as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.replies import (
    GIVE_UP_AGE_S_MIN,
    REASON_CHARACTERS_MAX,
    Heard,
    Lost,
    OurFault,
    Refused,
    Reply,
    Step,
    Taken,
    Unknown,
    Unusable,
    Wait,
    judge,
)

ABOUT_US = (Step.CONNECTION, Step.SENDER)
ABOUT_RECIPIENT = (Step.RECIPIENT, Step.DATA, Step.DOT)

TABLE: list[tuple[Heard, type]] = [
    (Reply(Step.DOT, 250, "OK"), Taken),
    (Reply(Step.DOT, 251, "forwarded"), Taken),
    (Reply(Step.DOT, 354, "go on"), Unknown),
    (Reply(Step.DOT, 199, ""), Unknown),
    (Reply(Step.DOT, 600, ""), Unknown),
    (Reply(Step.DOT, -1, "nonsense"), Unknown),
    *((Reply(step, code, ""), Wait) for step in Step for code in (421, 450, 451, 452, 454)),
    *((Reply(step, code, ""), OurFault) for step in Step for code in (530, 534, 535, 538)),
    *((Reply(step, code, ""), OurFault) for step in ABOUT_US for code in (500, 550, 553, 554)),
    *((Reply(step, code, ""), Refused) for step in ABOUT_RECIPIENT for code in (500, 550, 553, 554, 599)),
    *((Reply(step, code, ""), Wait) for step in Step if step is not Step.DOT for code in (-1, 199, 250, 354, 600)),
    *((Lost(step, "reset"), Wait) for step in Step if step is not Step.DOT),
    (Lost(Step.DOT, "reset"), Unknown),
    (Unusable("no TLS"), OurFault),
]


@pytest.mark.parametrize(("heard", "means"), TABLE, ids=str)
def test_each_end_of_a_conversation_means_one_thing(heard: Heard, means: type) -> None:
    assert type(judge(heard, age_s=0.0)) is means


@pytest.mark.parametrize(("heard", "means"), TABLE, ids=str)
def test_age_changes_only_a_recipient_refused_for_now(heard: Heard, means: type) -> None:
    for_now = isinstance(heard, Reply) and heard.step in ABOUT_RECIPIENT and 422 <= heard.code <= 499
    old = judge(heard, age_s=GIVE_UP_AGE_S_MIN)

    assert type(old) is (Refused if for_now else means)


def test_a_refusal_keeps_the_servers_words_as_far_as_they_can_be_stored() -> None:
    said = "5.1.1 no\x00 such\r\n user \udcff" + "x" * 1_000
    verdict = judge(Reply(Step.RECIPIENT, 550, said), age_s=0.0)

    assert isinstance(verdict, Refused)
    assert verdict.smtp_code == 550
    assert verdict.reason.startswith("550 5.1.1 no  such  user ?xxx")
    assert len(verdict.reason) == len("550 ") + REASON_CHARACTERS_MAX


@given(st.sampled_from(Step), st.integers(), st.text(max_size=20), st.floats(0, 1e9))
def test_no_reply_breaks_the_judgement(step: Step, code: int, text: str, age_s: float) -> None:
    assert isinstance(judge(Reply(step, code, text), age_s=age_s), Taken | Refused | Wait | Unknown | OurFault)
