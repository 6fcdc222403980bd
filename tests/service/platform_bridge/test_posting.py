"""Certificates on their way to the platform, against real servers and the platform simulator."""

from datetime import datetime

import pytest

from shared.messages.platform_bridge import CertificateArrived, CertificateRefused
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import TRACE, traced
from tests.service.platform_bridge.bridging import AUTH_KEY, Span, authorised, created, new_number, spanning
from tests.unit.simulators.running import Running

REFUSED = "https://platform.example/problems/certificate-refused"


async def test_a_created_certificate_arrives_and_its_first_arrival_time_is_announced(span: Span) -> None:
    number = new_number()
    await span.announce(created(span.stack, number))
    word = await span.outcome(number)
    listed = span.platform.call("GET", "/admin/certificates?limit=10000", headers=authorised()).json()["certificates"]
    stored = next(row for row in listed if row["key"] == f"{number}/1")

    assert isinstance(word, CertificateArrived)
    assert word.arrived_at == datetime.fromisoformat(stored["arrived_at"])
    assert (word.portal, word.application_id, word.version) == ("portal-a", f"A-{number}", 1)
    assert word.certificate_id == stored["certificate_id"]


async def test_the_platforms_word_goes_on_with_the_trace_of_its_certificate(span: Span) -> None:
    number = new_number()
    await span.announce(created(span.stack, number), cause=traced())
    await span.outcome(number)

    assert span.traces == [TRACE]


async def test_the_sealed_key_rests_in_one_place_and_only_until_the_outcome(span: Span) -> None:
    waiting, arrived, refused = new_number(), new_number(), new_number()
    await span.announce(
        created(span.stack, waiting, marker="[platform:503-60]"),
        created(span.stack, arrived),
        created(span.stack, refused, marker="[platform:refuse]"),
    )
    await span.outcome(arrived)
    await span.outcome(refused)
    await eventually(lambda: span.requests(waiting))

    assert (await span.kept(waiting))["sealed_auth_key"].startswith("v1.")
    assert (await span.kept(arrived))["sealed_auth_key"] is None
    assert (await span.kept(refused))["sealed_auth_key"] is None
    assert {(await span.errand(number))["payload"] for number in (waiting, arrived, refused)} == {b""}


async def test_a_refusal_for_good_is_announced_with_its_reason_and_the_next_version_goes_on(span: Span) -> None:
    number = new_number()
    await span.announce(created(span.stack, number, marker="[platform:refuse]"), created(span.stack, number, 2))
    refusal, arrival = await span.outcome(number), await span.outcome(number, 2)

    assert isinstance(refusal, CertificateRefused)
    assert (refusal.problem_type, refusal.detail) == (REFUSED, "発注者が確認できない電子証書です。")
    assert isinstance(arrival, CertificateArrived)


async def test_versions_are_posted_in_order_in_whatever_order_they_are_heard(span: Span) -> None:
    number = new_number()
    await span.announce(created(span.stack, number, 3), created(span.stack, number, 2))
    await eventually(lambda: span.errand(number, 3))
    posted_early = span.requests(number, 2) or span.requests(number, 3)
    await span.announce(created(span.stack, number, 1))
    words = [await span.outcome(number, version) for version in (1, 2, 3)]

    assert not posted_early
    assert [word.arrived_at for word in words] == sorted(word.arrived_at for word in words)


UNKNOWN = (
    *("reset-after", "reset-before", "cut", "html", "empty", "huge", "unreadable"),
    *("500", "503-after-bare", "204", "302"),
)


async def test_an_unknown_outcome_is_tried_again_with_the_same_bytes_and_key(span: Span) -> None:
    numbers = {marker: new_number() for marker in UNKNOWN}
    await span.announce(*(created(span.stack, n, marker=f"[platform:{marker}]") for marker, n in numbers.items()))
    words = {marker: await span.outcome(number) for marker, number in numbers.items()}
    tries = {marker: span.requests(number) for marker, number in numbers.items()}
    errands = {marker: await span.errand(number) for marker, number in numbers.items()}

    assert {type(word) for word in words.values()} == {CertificateArrived}
    for marker in UNKNOWN:
        assert [one["method"] for one in tries[marker]] == ["POST", "POST"], marker
        assert len({one["body_digest"] for one in tries[marker]}) == 1, marker
        assert errands[marker]["unknown"], marker


async def test_after_an_unknown_try_a_refusal_is_settled_by_asking(span: Span) -> None:
    arrived, never = new_number(), new_number()
    await span.announce(
        created(span.stack, arrived, marker="[platform:reset-after][platform:400]"),
        created(span.stack, never, marker="[platform:reset-before][platform:refuse]"),
    )
    yes, no = await span.outcome(arrived), await span.outcome(never)

    assert isinstance(yes, CertificateArrived)
    assert isinstance(no, CertificateRefused)
    assert [one["method"] for one in span.requests(arrived)] == ["POST", "POST", "GET"]
    assert [one["method"] for one in span.requests(never)] == ["POST", "POST", "GET"]


ODD = (
    *("arrived-missing", "arrived-null", "arrived-unreadable", "arrived-past", "arrived-future"),
    *("key-reused", "400", "422"),
)


async def test_what_no_machine_can_settle_is_held_for_a_person_and_told_to_nobody(span: Span) -> None:
    numbers, other = {marker: new_number() for marker in ODD}, new_number()
    await span.announce(*(created(span.stack, n, marker=f"[platform:{marker}]") for marker, n in numbers.items()))
    await span.announce(created(span.stack, other))
    await span.outcome(other)
    all_held = "select (count(*) = $1)::int from errand where state = 'held'"
    await eventually(lambda: span.counted(all_held, len(ODD)))
    kept = {marker: await span.kept(number) for marker, number in numbers.items()}

    assert [type(word) for word in span.heard] == [CertificateArrived]
    for marker in ODD:
        assert (kept[marker]["outcome"], kept[marker]["arrived_at"]) == (None, None), marker
        assert kept[marker]["sealed_auth_key"] is not None, marker


async def test_arrival_times_are_read_however_rfc_3339_lets_them_be_written(span: Span) -> None:
    markers = ("arrived-zone", "arrived-lower", "arrived-nanos", "arrived-seconds")
    numbers = {marker: new_number() for marker in markers}
    await span.announce(*(created(span.stack, n, marker=f"[platform:{marker}]") for marker, n in numbers.items()))

    for marker, number in numbers.items():
        word = await span.outcome(number)
        assert isinstance(word, CertificateArrived), marker
        assert word.arrived_at == (await span.kept(number))["arrived_at"], marker


async def test_the_same_version_again_changes_nothing_and_other_content_is_parked(span: Span) -> None:
    number = new_number()
    first = created(span.stack, number)
    await span.announce(first)
    word = await span.outcome(number)
    await span.announce(first, occurrence="again")
    await span.announce(created(span.stack, number, amount=19_000_000), occurrence="other")
    parked = await eventually(lambda: span.counted("select count(*) from inbox where outcome = 'parked'"))
    await eventually(lambda: span.counted("select (count(*) = 3)::int from inbox"))

    assert parked == 1
    assert span.word_on(number) is word
    assert (await span.kept(number))["content_sha256"] == first.content_sha256
    assert len(span.requests(number)) == 1


async def test_a_certificate_whose_digest_does_not_fit_is_parked_and_never_posted(span: Span) -> None:
    number, other = new_number(), new_number()
    wrong = created(span.stack, number).model_copy(update={"content_sha256": "0" * 64})
    await span.announce(wrong, created(span.stack, other))
    await span.outcome(other)

    assert await span.kept(number) == {}
    assert span.requests(number) == []


async def test_wrong_credentials_stop_the_errand_and_burn_nothing(emptied: Servers, platform: Running) -> None:
    numbers = [new_number() for _ in range(12)]
    async with spanning(emptied, platform, token="wrong") as span:
        await span.announce(*(created(emptied, number) for number in numbers))
        await eventually(lambda: span.counted("select count(*) from stage where closed_until > now()"))
        unburnt = "select (count(*) = 12)::int from errand where attempts = 0"
        burned_nothing = await eventually(lambda: span.counted(unburnt))

    assert burned_nothing
    assert span.heard == []


async def test_a_row_whose_sealing_key_is_missing_waits_while_others_go_on(span: Span) -> None:
    number, other = new_number(), new_number()
    foreign = created(span.stack, number)
    sealed = foreign.sealed_auth_key.split(".")
    lost = foreign.model_copy(update={"sealed_auth_key": f"v1.gone.{sealed[2]}"})
    await span.announce(lost, created(span.stack, other))
    await span.outcome(other)
    await eventually(lambda: span.counted("select count(*) from errand where last_error like '%not in the ring%'"))

    assert span.requests(number) == []


async def test_a_key_sealed_for_another_guarantee_is_held(span: Span) -> None:
    number = new_number()
    stolen = created(span.stack, new_number()).sealed_auth_key
    await span.announce(created(span.stack, number).model_copy(update={"sealed_auth_key": stolen}))
    await eventually(lambda: span.is_held(number))

    assert span.requests(number) == []


async def test_the_key_is_in_no_log_line_and_no_table(span: Span, capfd: pytest.CaptureFixture[str]) -> None:
    number = new_number()
    await span.announce(created(span.stack, number, marker="[platform:reset-before]"))
    await span.outcome(number)
    captured = capfd.readouterr()
    tables = [
        await span.bridge.pool.fetchval(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")
        for table in ("certificate_post", "errand", "outbox", "inbox")
    ]

    assert f"{number}/1" in captured.out
    assert AUTH_KEY not in captured.out + captured.err
    assert not any(AUTH_KEY in table for table in tables)
