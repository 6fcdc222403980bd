"""The errand's call: what it does before it asks the platform, when it asks twice, and what it makes of the answers."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from services.platform_bridge import handlers, store
from services.platform_bridge.domain.answers import (
    PROBLEM_KEY_REUSED,
    PROBLEM_REFUSED,
    Answer,
    Arrived,
    Heard,
    NoAnswer,
    NotSent,
    Refused,
)
from services.platform_bridge.domain.certificate import Post
from services.platform_bridge.edge import Platform
from services.platform_bridge.handlers import LastWord, Poster, Shelf
from shared import clock
from shared.errands import Claimed, Hold, Later, OurFault, Outcome, Settled, Sign
from shared.sealing import KeyRing

NUMBER = "00000-000001"
AUTH_KEY = "Z28YUE4J3Bux"
RING = KeyRing.parse("k1:" + base64.b64encode(bytes(32)).decode())
NOW = datetime(2026, 1, 15, 0, 31, tzinfo=UTC)
ARRIVED_AT = datetime(2026, 1, 15, 0, 30, 2, tzinfo=UTC)
ARRIVED = Answer(200, json.dumps({"certificate_id": "c-1", "arrived_at": ARRIVED_AT.isoformat()}).encode())
REFUSED = Answer(422, json.dumps({"type": PROBLEM_REFUSED, "detail": "no"}).encode())
KEY_REUSED = Answer(422, json.dumps({"type": PROBLEM_KEY_REUSED}).encode())
ABSENT = Answer(404, b"")

CONTENT = json.dumps({"guarantee_number": NUMBER, "version": 1}).encode()
POST = Post(
    guarantee_number=NUMBER,
    version=1,
    portal="portal-a",
    application_id="A-1",
    concluded_at=datetime(2026, 1, 15, 0, 30, tzinfo=UTC),
    certificate=CONTENT,
    content_sha256=hashlib.sha256(CONTENT).hexdigest(),
    signature="header..signature",
    sealed_auth_key=RING.seal(AUTH_KEY, associated=NUMBER),
)


class Answering(Platform):
    """A platform that gives one answer to posts and one to reads."""

    def __init__(self, post: Heard, get: Heard = ABSENT) -> None:
        super().__init__("https://platform.example", "token")
        self.answers: dict[str, Heard] = {"POST": post, "GET": get}
        self.asked: list[str] = []
        self.bodies: list[bytes] = []

    async def post(self, key: str, body: bytes) -> Heard:
        self.asked.append(f"POST {key}")
        self.bodies.append(body)
        return self.answers["POST"]

    async def get(self, key: str) -> Heard:
        self.asked.append(f"GET {key}")
        return self.answers["GET"]


def shelf() -> Shelf:
    """A shelf whose reads are those of the fixture `kept`."""
    return Shelf(lambda: None)  # type: ignore[arg-type,return-value]  # Nothing asks this pool for anything.


def settled(verdict: Arrived | Refused) -> Settled:
    """The last word on the application that the certificate is of."""
    return Settled(LastWord(POST.portal, POST.application_id, verdict))


def claimed(attempts: int = 1, *, unknown_before: bool = False) -> Claimed:
    return Claimed(
        errand=handlers.POST_CERTIFICATE,
        key=POST.key,
        payload=b"",
        attempts=attempts,
        unknown_before=unknown_before,
        token=attempts,
        correlation="portal-a/A-1",
        traceparent=None,
        created_at=NOW,
    )


@pytest.fixture(autouse=True)
def _standing_clock() -> Iterator[None]:
    with clock.standing_at(NOW):
        yield


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the database gives: a post, or an error to raise."""
    content: dict[str, Any] = {POST.key: POST}

    async def load(_pool: object, keys: Sequence[str]) -> dict[str, Post]:
        for found in content.values():
            if isinstance(found, BaseException):
                raise found
        return {key: content[key] for key in keys if content.get(key) is not None}

    monkeypatch.setattr(store, "load", load)
    return content


async def called(platform: Platform, row: Claimed | None = None) -> Outcome:
    poster = Poster(platform, RING, shelf())
    return await poster.post_certificate(row or claimed())


async def test_the_body_holds_the_opened_key_beside_the_signed_bytes(kept: dict[str, Any]) -> None:
    platform = Answering(ARRIVED)
    outcome = await called(platform)

    assert outcome == settled(Arrived(ARRIVED_AT, "c-1"))
    assert json.loads(platform.bodies[0]) == json.loads(CONTENT) | {
        "auth_key": AUTH_KEY,
        "content_sha256": POST.content_sha256,
        "signature": POST.signature,
    }


@pytest.mark.parametrize("row", [claimed(2), claimed(2, unknown_before=True), claimed(1, unknown_before=True)])
@pytest.mark.parametrize("post", [REFUSED, KEY_REUSED, Answer(400, b""), ABSENT])
async def test_after_an_earlier_try_a_refusal_is_settled_by_the_get(
    kept: dict[str, Any], row: Claimed, post: Answer
) -> None:
    platform = Answering(post, ARRIVED)
    outcome = await called(platform, row)

    assert outcome == settled(Arrived(ARRIVED_AT, "c-1"))
    assert platform.asked == [f"POST {POST.key}", f"GET {POST.key}"]


@pytest.mark.parametrize(
    ("post", "outcome"),
    [
        (REFUSED, settled(Refused(PROBLEM_REFUSED, "no"))),
        (KEY_REUSED, Hold),
        (Answer(400, b""), Hold),
        (ABSENT, Later),
    ],
)
async def test_where_the_certificate_never_arrived_the_first_answer_stands(
    kept: dict[str, Any], post: Answer, outcome: object
) -> None:
    first = await called(Answering(post))
    again = await called(Answering(post), claimed(2, unknown_before=True))

    assert first == again
    assert first == outcome or type(first) is outcome


@pytest.mark.parametrize(
    ("get", "outcome"),
    [
        (Answer(500, b""), Later("an answer that settles nothing (500)", unknown=True, sign=Sign.FAILING)),
        (Answer(429, b"", "9"), Later("the platform asks us to slow down (429)", 9.0, sign=Sign.WAIT)),
        (Answer(401, b""), OurFault("the platform does not accept our credentials (401)")),
        (Answer(200, b"{}"), Hold("the platform says arrived, with no arrived_at")),
    ],
)
async def test_a_get_that_does_not_tell_leaves_the_refusal_open(
    kept: dict[str, Any], get: Answer, outcome: Outcome
) -> None:
    assert await called(Answering(REFUSED, get), claimed(2, unknown_before=True)) == outcome


@pytest.mark.parametrize(
    ("post", "sign"),
    [
        (Answer(500, b""), Sign.FAILING),
        (Answer(503, b""), Sign.FAILING),
        (Answer(200, b"no json"), Sign.FAILING),
        (ABSENT, Sign.FAILING),
        (NotSent("no connection"), Sign.FAILING),
        (NoAnswer("reset"), Sign.FAILING),
        (Answer(503, b"", "9"), Sign.WAIT),
        (Answer(429, b"", "9"), Sign.WAIT),
        (Answer(429, b""), Sign.WAIT),
        (Answer(409, b"", "9"), Sign.NOTHING),
    ],
)
async def test_what_the_platform_says_of_itself_is_told_apart_from_what_it_says_of_one_certificate(
    kept: dict[str, Any], post: Heard, sign: Sign
) -> None:
    outcome = await called(Answering(post))

    assert isinstance(outcome, Later)
    assert outcome.sign is sign


async def test_nothing_is_sent_for_what_is_not_kept_or_is_settled_already(kept: dict[str, Any]) -> None:
    platform = Answering(ARRIVED)
    kept[POST.key] = None
    missing = await called(platform)
    kept[POST.key] = replace(POST, sealed_auth_key=None)
    settled = await called(platform)

    assert isinstance(missing, Hold)
    assert isinstance(settled, Later)
    assert not settled.unknown
    assert platform.asked == []


@pytest.mark.parametrize(
    "error", [asyncpg.CannotConnectNowError("starting"), ConnectionResetError(), TimeoutError(), OSError()]
)
async def test_a_database_that_is_away_makes_the_call_wait(kept: dict[str, Any], error: Exception) -> None:
    kept[POST.key] = error
    outcome = await called(Answering(ARRIVED))

    assert isinstance(outcome, Later)
    assert not outcome.unknown


async def test_an_error_that_time_does_not_heal_is_not_hidden(kept: dict[str, Any]) -> None:
    kept[POST.key] = asyncpg.UndefinedTableError("certificate_post")
    with pytest.raises(asyncpg.UndefinedTableError):
        await called(Answering(ARRIVED))


@pytest.mark.parametrize(
    ("sealed", "outcome"),
    [
        (RING.seal(AUTH_KEY, associated="00000-000002"), Hold),
        ("v1.k1." + "A" * 40, Hold),
        ("not sealed at all", Hold),
        ("v1.gone." + "A" * 40, Later),
    ],
    ids=["sealed for another guarantee", "no ciphertext of ours", "no seal", "a ring key that is missing"],
)
async def test_a_key_that_does_not_open_is_held_and_one_whose_ring_key_is_missing_waits(
    kept: dict[str, Any], sealed: str, outcome: type
) -> None:
    platform = Answering(ARRIVED)
    kept[POST.key] = replace(POST, sealed_auth_key=sealed)

    assert type(await called(platform)) is outcome
    assert platform.asked == []


async def test_calls_at_once_do_not_mix(kept: dict[str, Any]) -> None:
    outcomes = await asyncio.gather(*(called(Answering(answer)) for answer in (ARRIVED, REFUSED)))

    assert outcomes == [settled(Arrived(ARRIVED_AT, "c-1")), settled(Refused(PROBLEM_REFUSED, "no"))]
