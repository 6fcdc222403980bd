"""Whatever portals send, in whatever batches: each message ends as exactly one of the endings, and each is answered."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from services.intake import handlers
from services.intake.domain.body import Unreadable as UnreadableBody
from services.intake.domain.judgement import judge
from services.intake.domain.verdict import Judged
from services.intake.handlers.sent import Sent
from shared import clock, topology
from shared.envelope import Unreadable
from shared.work import Work, unit_of_work
from tests.service.intake.conftest import Intake
from tests.unit.intake import mutations
from tests.unit.intake.samples import EXAMPLE, REGISTRY

BATCHES = 25
BATCH_MESSAGES = 16
NAMES = 6
"""Few application ids per run of batches, so that repeats and conflicts are common, within a batch too."""

QUEUE = topology.door_queue("portal-a")


def _batch(dice: random.Random, run: str) -> list[Sent]:
    bodies = [mutations.body(dice, f"{run}-{dice.randint(1, NAMES)}") for _ in range(BATCH_MESSAGES)]
    # Some come twice, under another message id.
    bodies += dice.sample(bodies, 4)
    return [Sent("portal-a", "application.submitted", body, str(clock.new_uuid())) for body in bodies]


def _answers(work: Work) -> list[tuple[str, dict[str, Any]]]:
    rows = [row for row in work.announcements if row.exchange == topology.PORTALS]
    return [(row.type.split(".")[1].removeprefix("application_"), json.loads(row.body)) for row in rows]


def _ending(one: Sent, answers: Sequence[tuple[str, dict[str, Any]]], parked: set[str], taken: dict[str, str]) -> str:
    """How one message ended, told by its answers; `taken` is the digest accepted under each id so far."""
    named = [kind for kind, data in answers if data.get("message_id") == one.message_id]
    judged = judge(one.body, "portal-a", REGISTRY)
    if isinstance(judged, UnreadableBody):
        assert named == ["rejected"]
        assert str(Unreadable.of(one.body, "", one.message_id).id) in parked
        return "parked"
    if named:
        (kind,) = named
        return kind
    assert isinstance(judged, Judged)
    name = judged.id or ""
    assert any(kind == "accepted" and data["application_id"] == name for kind, data in answers)
    assert taken.setdefault(name, judged.digest or "unsound") == judged.digest
    return "accepted"


async def test_every_message_ends_as_exactly_one_of_accepted_rejected_conflicted_and_parked(intake: Intake) -> None:
    endings: Counter[str] = Counter()
    taken: dict[str, str] = {}
    run = clock.random_text("abcdefghij", 8)
    for seed in range(BATCHES):
        batch = _batch(random.Random(seed), run)
        async with unit_of_work(intake.running.desk(), QUEUE) as work:
            await handlers.answer_all(REGISTRY, batch, work)
            answers, parked = _answers(work), {str(item.id) for item, *_ in work.parked}
        ended = [_ending(one, answers, parked, taken) for one in batch]
        endings.update(ended)

        assert len(answers) == len(batch), f"seed {seed}"
        assert len(parked) == ended.count("parked"), f"seed {seed}"

    assert set(endings) == {"accepted", "rejected", "conflicted", "parked"}
    assert endings.total() == BATCHES * (BATCH_MESSAGES + 4)
    async with intake.service.pool.acquire() as connection:
        rows = await connection.fetch(
            "select application_id, content_sha256 from submission"
            " where outcome = 'accepted' and application_id = any($1)",
            list(taken),
        )
    assert {row["application_id"]: row["content_sha256"] for row in rows} == taken


async def test_an_answer_is_word_for_word_the_same_however_often_it_is_given(intake: Intake) -> None:
    """Hearers park what comes under a known id with another digest, so a repeat must not differ in a single byte."""
    dice, run = random.Random(0), clock.random_text("abcdefghij", 8)
    digests: dict[str, set[bytes]] = {}
    good = [body for number in range(200) if _is_good(body := mutations.body(dice, f"{run}-{number}"))]
    for _ in range(2):
        async with unit_of_work(intake.running.desk(), QUEUE) as work:
            sent = [Sent("portal-a", "application.submitted", body, str(clock.new_uuid())) for body in good]
            await handlers.answer_all(REGISTRY, sent, work)
            for row in work.announcements:
                digests.setdefault(f"{row.exchange} {row.message_id}", set()).add(row.digest + row.body[-200:])

    assert len(good) > 20
    assert {len(seen) for key, seen in digests.items() if key.startswith(topology.PORTALS)} == {1}
    assert len({key for key in digests if key.startswith(topology.PORTALS)}) == len(good)


def _is_good(body: bytes) -> bool:
    judged = judge(body, "portal-a", REGISTRY)
    return isinstance(judged, Judged) and hasattr(judged.verdict, "application")


async def test_the_same_id_twice_in_one_batch_is_decided_in_order(intake: Intake) -> None:
    run = clock.random_text("abcdefghij", 8)
    good, other, bad = (
        json.dumps({**EXAMPLE, "application_id": run, **more}).encode()
        for more in ({}, {"receiving_office": "沼津支店"}, {"receiving_office": ""})
    )
    order = [bad, good, other, good, bad]
    sent = [Sent("portal-a", "application.submitted", body, f"{run}-{place}") for place, body in enumerate(order)]
    async with unit_of_work(intake.running.desk(), QUEUE) as work:
        await handlers.answer_all(REGISTRY, sent, work)
        answers = _answers(work)

    assert [kind for kind, _ in answers] == ["rejected", "accepted", "conflicted", "accepted", "conflicted"]
    assert answers[1] == answers[3]


async def test_a_batch_that_is_rolled_back_leaves_nothing(intake: Intake) -> None:
    run = clock.random_text("abcdefghij", 8)
    body = json.dumps({**EXAMPLE, "application_id": run}).encode()

    class Stop(Exception):
        pass

    try:
        async with unit_of_work(intake.running.desk(), QUEUE) as work:
            await handlers.answer_all(REGISTRY, [Sent("portal-a", "application.submitted", body, "m")], work)
            raise Stop
    except Stop:
        pass
    async with intake.service.pool.acquire() as connection:
        kept = await connection.fetchval("select count(*) from submission where application_id = $1", run)

    assert kept == 0


async def test_what_no_handler_could_take_is_parked_whole_if_its_json_is_sound(intake: Intake) -> None:
    sound = Sent("portal-a", "application.submitted", b'{"application_id": "P-1"}', "m-1")
    broken = Sent("portal-a", "application.submitted", b"{", "m-2")
    async with unit_of_work(intake.running.desk(), QUEUE) as work:
        for one in (sound, broken):
            await handlers.give_up(one, "raised_KeyError", "a bug", work)
        whole, excerpt = (item for item, *_ in work.parked)

    assert not isinstance(whole, Unreadable)
    assert (whole.id, whole.data) == (sound.id, sound.body)
    assert isinstance(excerpt, Unreadable)


async def test_what_cannot_be_read_is_answered_also_when_it_is_given_up(intake: Intake) -> None:
    """Once each, with the message's own id, in the words in which the handler would have answered."""
    given_up = [
        Sent("portal-a", "application.submitted", b"{", "u-1"),
        Sent("portal-a", "change.requested", b"\xff", "u-2"),
        Sent("portal-a", "application.submitted", b'{"application_id": "P-2"}', "u-3"),
    ]
    async with unit_of_work(intake.running.desk(), QUEUE) as work:
        for one in given_up:
            await handlers.give_up(one, "raised_KeyError", "a bug", work)
        answers, parked = _answers(work), list(work.parked)
    async with unit_of_work(intake.running.desk(), QUEUE) as work:
        await handlers.answer_all(REGISTRY, given_up[:2], work)
        usual = _answers(work)

    assert sorted(data["message_id"] for _, data in answers) == ["u-1", "u-2"]
    assert sorted(map(repr, answers)) == sorted(map(repr, usual))
    assert len(parked) == 3
