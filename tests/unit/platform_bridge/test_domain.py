"""What each answer of the platform means, as a table."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.platform_bridge.domain.answers import (
    CERTIFICATE_ID_CHARACTERS_MAX,
    PROBLEM_KEY_REUSED,
    PROBLEM_REFUSED,
    RETRY_AFTER_S_MAX,
    Answer,
    Arrived,
    AskFirst,
    Heard,
    NoAnswer,
    NotSent,
    Odd,
    OurBug,
    OurFault,
    Refused,
    Unknown,
    Wait,
    judge_get,
    judge_post,
)

NOW = datetime(2026, 1, 15, 0, 31, tzinfo=UTC)
CONCLUDED_AT = datetime(2026, 1, 15, 0, 30, 1, 200_000, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 1, 15, 0, 30, 2, 117_000, tzinfo=UTC)
GOOD = {"certificate_id": "c-1", "arrived_at": "2026-01-15T09:30:02.117+09:00"}
REFUSAL = {"type": PROBLEM_REFUSED, "detail": "確認できません"}

SETTLED_BY_GET = (400, 404, 422)


def judged(heard: Heard, *, tried_before: bool = False) -> Any:
    return judge_post(heard, tried_before=tried_before, concluded_at=CONCLUDED_AT, now=NOW)


def answer(status: int, value: object = None, retry_after: str | None = None) -> Answer:
    return Answer(status, b"" if value is None else json.dumps(value).encode(), retry_after)


def arriving(arrived_at: object) -> Any:
    return judged(answer(201, GOOD | {"arrived_at": arrived_at}))


TABLE: list[tuple[Heard, type]] = [
    (answer(201, GOOD), Arrived),
    (answer(200, GOOD), Arrived),
    (answer(200, GOOD | {"unknown_field": 1}), Arrived),
    (answer(202, GOOD), Unknown),
    (answer(204), Unknown),
    (answer(301), Unknown),
    (answer(302), Unknown),
    (answer(400), OurBug),
    (answer(401), OurFault),
    (answer(402), Unknown),
    (answer(403), OurFault),
    (answer(404), Wait),
    (answer(405), Unknown),
    (answer(408), Unknown),
    (answer(409), Wait),
    (answer(413), Unknown),
    (answer(422, REFUSAL), Refused),
    (answer(422, {"type": PROBLEM_KEY_REUSED}), OurBug),
    (answer(422, {"type": "about:blank"}), OurBug),
    (answer(422, ["not an object"]), OurBug),
    (answer(422), OurBug),
    (Answer(422, None), OurBug),
    (answer(425), Unknown),
    (answer(429), Wait),
    (answer(429, None, "5"), Wait),
    (answer(500), Unknown),
    (answer(500, GOOD), Unknown),
    (answer(502), Unknown),
    (answer(503), Unknown),
    (answer(503, None, "nonsense"), Unknown),
    (answer(503, None, "5"), Wait),
    (answer(504, None, "5"), Unknown),
    (answer(599), Unknown),
    (Answer(201, None), Unknown),
    (Answer(201, b""), Unknown),
    (Answer(201, b"<html></html>"), Unknown),
    (Answer(201, b'{"certificate_id": "\xff\xfe'), Unknown),
    (Answer(201, b"[" * 60_000), Unknown),
    (answer(201, [GOOD]), Unknown),
    (answer(201, {}), Odd),
    (answer(201, GOOD | {"certificate_id": None}), Unknown),
    (answer(201, GOOD | {"certificate_id": "a\x00b"}), Unknown),
    (answer(201, GOOD | {"certificate_id": "x" * (CERTIFICATE_ID_CHARACTERS_MAX + 1)}), Unknown),
    (NotSent("no connection"), Wait),
    (NotSent("certificate not valid", our_setup=True), OurFault),
    (NoAnswer("connection reset"), Unknown),
]


@pytest.mark.parametrize(("heard", "means"), TABLE, ids=lambda value: str(value)[:60])
def test_each_answer_to_a_first_post_means_one_thing(heard: Heard, means: type) -> None:
    assert type(judged(heard)) is means


@pytest.mark.parametrize(("heard", "means"), TABLE, ids=lambda value: str(value)[:60])
def test_after_an_earlier_try_only_400_404_and_422_mean_something_else(heard: Heard, means: type) -> None:
    again = judged(heard, tried_before=True)

    if isinstance(heard, Answer) and heard.status in SETTLED_BY_GET:
        assert again == AskFirst(judged(heard))
    else:
        assert again == judged(heard)


STANDING = Refused(PROBLEM_REFUSED, "確認できません")


@pytest.mark.parametrize(
    ("heard", "means"),
    [
        (answer(200, GOOD), Arrived(ARRIVED_AT, "c-1")),
        (answer(404), STANDING),
        (answer(401), OurFault),
        (answer(429, None, "7"), Wait),
        (answer(400), Unknown),
        (answer(422, REFUSAL), Unknown),
        (answer(500), Unknown),
        (answer(200, {}), Odd),
        (answer(200), Unknown),
        (NotSent("no connection"), Wait),
        (NoAnswer("reset"), Unknown),
    ],
)
def test_the_get_tells_whether_an_earlier_try_arrived(heard: Heard, means: object) -> None:
    verdict = judge_get(heard, standing=STANDING, concluded_at=CONCLUDED_AT, now=NOW)

    assert verdict == means or type(verdict) is means


def test_an_arrival_is_kept_in_utc_to_the_microsecond() -> None:
    assert judged(answer(201, GOOD)) == Arrived(ARRIVED_AT, "c-1")
    assert arriving("2026-01-15T09:30:02.117+09:00").arrived_at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-15T00:30:02.117Z",
        "2026-01-15t00:30:02.117z",
        "2026-01-14T21:00:02.117-03:30",
        "2026-01-15T00:30:02.117-00:00",
        "2026-01-15T09:30:02.117000999+09:00",
    ],
)
def test_one_instant_is_read_from_every_spelling_of_rfc_3339(text: str) -> None:
    assert arriving(text) == Arrived(ARRIVED_AT, "c-1")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        1_768_437_002,
        True,
        {},
        "昨日の午後",
        "2026-01-15",
        "2026-01-15T09:30:02",
        "2026-01-15 09:30:02+09:00",
        "20260115T093002+0900",
        "2026-W03-4T09:30:02+09:00",
        "2026-02-30T09:30:02+09:00",
        "2026-01-15T24:30:02+09:00",
        "2026-01-15T09:30:60+09:00",
        "2026-01-15T09:30:02+24:00",
        "２０２６-01-15T09:30:02+09:00",
        "2026-01-15T09:30:02,117+09:00",
        "2026-01-15T09:30:02+09:00\n",
    ],
)
def test_an_arrival_without_a_readable_time_is_odd(value: object) -> None:
    assert isinstance(arriving(value), Odd)


@pytest.mark.parametrize(
    ("arrived_at", "means"),
    [
        (CONCLUDED_AT - timedelta(minutes=5), Arrived),
        (CONCLUDED_AT - timedelta(minutes=5, microseconds=1), Odd),
        (NOW + timedelta(minutes=5), Arrived),
        (NOW + timedelta(minutes=5, microseconds=1), Odd),
    ],
)
def test_an_arrival_may_be_off_by_five_minutes_and_not_more(arrived_at: datetime, means: type) -> None:
    assert type(arriving(arrived_at.isoformat())) is means


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_times_at_the_edge_of_the_calendar_are_odd_and_break_nothing(text: str) -> None:
    assert isinstance(arriving(text), Odd)


def test_a_conclusion_at_the_beginning_of_the_calendar_breaks_nothing() -> None:
    """Whoever concludes tells the time, and a judgement that raised would be made anew for ever."""
    earliest = datetime.min.replace(tzinfo=UTC)

    assert judge_post(answer(201, GOOD), tried_before=False, concluded_at=earliest, now=NOW) == Arrived(
        ARRIVED_AT, "c-1"
    )


@pytest.mark.parametrize(
    ("text", "after_s"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-7", None),
        ("7.5", None),
        ("７", None),
        ("9999999999", RETRY_AFTER_S_MAX),
        ("9" * 5_000, None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        (format_datetime(NOW + timedelta(days=30), usegmt=True), RETRY_AFTER_S_MAX),
        ("Thu, 15 Jan 2026 00:32:00", 60.0),
        ("later", None),
        ("Thu, 99 Jan 2026 00:32:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(text: str | None, after_s: float | None) -> None:
    verdict = judged(answer(429, None, text))

    assert isinstance(verdict, Wait)
    assert verdict.after_s == after_s


@given(st.text(max_size=60))
def test_no_header_and_no_time_can_break_the_judgement(text: str) -> None:
    assert isinstance(judged(answer(429, None, text)), Wait)
    assert isinstance(arriving(text), Odd | Arrived)


@given(st.binary(max_size=200))
def test_no_body_can_break_the_judgement(body: bytes) -> None:
    assert isinstance(judged(Answer(201, body)), Odd | Arrived | Unknown)
    assert isinstance(judged(Answer(422, body)), Refused | OurBug)


def test_a_refusal_keeps_what_the_platform_said_as_far_as_it_can_be_stored() -> None:
    said = "確認\x00できません\r\n" + "長" * 5_000
    verdict = judged(answer(422, {"type": PROBLEM_REFUSED, "detail": said}))

    assert isinstance(verdict, Refused)
    assert verdict.detail.startswith("確認 できません  長")
    assert len(verdict.detail) == 1_000
    assert judged(answer(422, {"type": PROBLEM_REFUSED})) == Refused(PROBLEM_REFUSED, "")
