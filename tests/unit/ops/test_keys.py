"""A sealing key may be retired only when every service was heard, nothing was on its way, and no row bore it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.ops.domain.keys import Look, borne

QUIET: Mapping[str, int] = {"platform_bridge.certificate_created": 0, "ops.parked": 0, "ops, in hand": 0}


def told(service: str, ring: list[str], **places: dict[str, int]) -> dict[str, Any]:
    """What a service says of its sealed rows."""
    return {"service": service, "ring": ring, "places": places, "facts_in_hand": 0}


def look(*more: dict[str, Any]) -> Look:
    """A look at a system whose issuer seals with `new`, and where nothing is on its way."""
    issuer = told("issuer", ["new", "old"], guarantee={"new": 7}, outbox={})
    return Look([issuer, told("platform_bridge", ["old", "new"], certificate_post={"new": 1}), *more], [], QUIET)


def may_be_retired(*looks: Look) -> list[str]:
    """The ids of the keys that may go."""
    return [one.kid for one in borne(looks) if one.may_be_retired]


def test_a_key_that_nothing_bears_may_be_retired_and_the_sealing_one_never() -> None:
    assert may_be_retired(look(), look()) == ["old"]
    assert [one.kid for one in borne([look()]) if one.seals] == ["new"]


@pytest.mark.parametrize("place", ["guarantee", "outbox", "certificate_post", "desk"])
def test_one_row_anywhere_in_either_look_keeps_it(place: str) -> None:
    holder = told("somebody", [], **{place: {"old": 1}})

    assert may_be_retired(look(holder), look()) == []
    assert may_be_retired(look(), look(holder)) == []


@pytest.mark.parametrize("queue", QUIET)
def test_whatever_is_on_its_way_keeps_it(queue: str) -> None:
    """Nobody can tell which key a message in a queue bears without taking it."""
    moving = replace(look(), on_the_way={**QUIET, queue: 1})

    assert may_be_retired(look(), moving) == []


def test_a_service_or_a_broker_that_is_silent_keeps_it() -> None:
    assert may_be_retired(look(), replace(look(), unasked=["notifier"])) == []
    assert may_be_retired(look(), replace(look(), on_the_way=None)) == []
    assert may_be_retired() == []


def test_facts_that_were_acted_on_are_shown_and_keep_nothing() -> None:
    """Nobody can replay them any more, and they are kept for good."""
    past = told("ops", [], acted_on={"old": 3}, desk={})
    (old,) = [one for one in borne([look(past), look(past)]) if one.kid == "old"]

    assert old.rows["ops.acted_on"] == 3
    assert old.may_be_retired


def test_a_key_in_no_ring_is_shown_with_what_it_seals() -> None:
    (lost,) = [one for one in borne([look(told("ops", [], desk={"lost": 2}))]) if one.kid == "lost"]

    assert (lost.in_ring_of, lost.rows, lost.may_be_retired) == ([], {"ops.desk": 2}, False)
