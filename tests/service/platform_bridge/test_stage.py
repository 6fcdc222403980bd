"""The platform as a whole is away, busy or closed: certificates wait, unharmed, and go on by themselves."""

from collections.abc import Iterator

import pytest

from services.platform_bridge.handlers import POST_CERTIFICATE
from shared import clock
from shared.envelope import fact_id
from shared.errands import breaker, operators, runner, stages
from shared.errands.closing import Weekly, weekly_hours
from shared.errands.operators import Told
from shared.errands.stages import Standing
from shared.messages.platform_bridge import CertificateArrived, CertificateHeld, CertificateReleased
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.platform_bridge.bridging import Span, created, new_number, spanning, switch
from tests.unit.simulators.running import Running


def _around_now() -> tuple[Weekly, ...]:
    hour = clock.now().astimezone(clock.TOKYO).hour
    return weekly_hours(f"daily {hour:02}:00-{(hour + 2) % 24:02}:00")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes in tenths of seconds."""
    monkeypatch.setattr(breaker, "PROBE_S_MIN", 0.2)
    monkeypatch.setattr(breaker, "PROBE_S_MAX", 0.5)
    monkeypatch.setattr(runner, "SWEEP_EVERY_S", 0.2)
    for module in (breaker, stages):
        monkeypatch.setattr(module, "RAMP_S", 0.3)


@pytest.fixture(autouse=True)
def _well_again(platform: Running) -> Iterator[None]:
    yield
    switch(platform, "normal")


async def _announced(span: Span, count: int) -> list[str]:
    numbers = [new_number() for _ in range(count)]
    await span.announce(*(created(span.stack, number) for number in numbers))
    return numbers


@pytest.mark.parametrize("mode", ["reset", "500", "503"])
async def test_a_platform_that_is_away_is_left_alone_and_found_again(span: Span, mode: str) -> None:
    switch(span.platform, mode)
    numbers = await _announced(span, 40)
    await eventually(lambda: span.standing in (Standing.FAILING, Standing.WAITING))
    await eventually(lambda: span.bridge.runners[POST_CERTIFICATE].in_hand == 0)
    # What was fetched and not called is given back a moment after it was put out of hand.
    await eventually(
        lambda: span.counted("select (count(*) >= 15)::int from errand where attempts = 0 and not unknown")
    )
    switch(span.platform, "normal")
    words = [await span.outcome(number) for number in numbers]

    assert {type(word) for word in words} == {CertificateArrived}


async def test_one_retry_after_speaks_for_the_whole_platform(span: Span) -> None:
    one, others = new_number(), [new_number() for _ in range(12)]
    await span.announce(created(span.stack, one, marker="[platform:503-3]"))
    await eventually(lambda: span.standing == Standing.WAITING)
    await span.announce(*(created(span.stack, number) for number in others))
    await eventually(lambda: span.counted("select (count(*) = 12)::int from errand where attempts = 0"))
    early = [number for number in others if span.requests(number)]
    words = [await span.outcome(number) for number in (one, *others)]

    assert early == []
    assert {type(word) for word in words} == {CertificateArrived}


async def test_a_409_is_about_its_own_certificate_only(span: Span) -> None:
    one, other = new_number(), new_number()
    await span.announce(created(span.stack, one, marker="[platform:409x*]"))
    await eventually(lambda: span.requests(one))
    await span.announce(created(span.stack, other))
    await span.outcome(other)

    assert span.standing == Standing.CALLING


async def test_in_closing_hours_nothing_is_posted(emptied: Servers, platform: Running) -> None:
    async with spanning(emptied, platform, closing_hours=_around_now()) as span:
        await eventually(lambda: span.standing == Standing.CLOSED_HOURS)
        numbers = await _announced(span, 5)
        await eventually(lambda: span.counted("select (count(*) = 5)::int from errand where lease_owner is null"))
        shown = span.bridge.stages()[POST_CERTIFICATE]

    assert not any(span.requests(number) for number in numbers)
    assert "until" in shown
    assert span.heard == []


async def test_a_hold_and_its_release_are_announced_as_facts_of_their_own_each_time(span: Span) -> None:
    number = new_number()
    await span.announce(created(span.stack, number, marker="[platform:arrived-missing][platform:arrived-missing]"))
    for hold_no in (1, 2):
        await eventually(lambda: span.is_held(number))
        errand = await span.errand(number)
        assert errand["holds"] == hold_no
        act = await operators.release(
            span.bridge.desk(), span.errand_told, f"{number}/1", by="sato", reason="the platform mended it"
        )
        assert act.told is Told.DONE
        await eventually(lambda: len(span.told) == 2 * hold_no)  # noqa: B023
    await span.outcome(number)
    kinds = (CertificateHeld, CertificateReleased)
    words = {CertificateHeld: "held", CertificateReleased: "released"}
    expected = [fact_id(kind.TYPE, f"{number}/1", f"{words[kind]}/{no}") for no in (1, 2) for kind in kinds]

    assert [one.message_id for one in span.told] == expected
    assert {one.correlation for one in span.told} == {f"portal-a/A-{number}"}
    assert len(set(expected)) == 4


async def test_an_operator_may_hold_a_certificate_that_waits(span: Span) -> None:
    number = new_number()
    await span.announce(created(span.stack, number, marker="[platform:429-3000x*]"))
    await eventually(lambda: span.counted("select count(*) from errand where due_at > now() + interval '1 minute'"))
    act = await operators.hold(
        span.bridge.desk(), span.errand_told, f"{number}/1", by="sato", reason="the office asked"
    )

    assert act.told is Told.DONE
    assert [one.type for one in span.told] == [CertificateHeld.TYPE]
    assert await span.is_held(number)
