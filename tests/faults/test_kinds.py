"""Every way in which the world can go wrong has a fault, or an answer of a simulator, that a storm really plays."""

import re
from collections.abc import Iterable
from typing import Final, get_args

import pytest

from simulators.mailbox.magic import trick_of
from simulators.mailbox.smtp import Mode as MailMode
from simulators.platform.magic import script_of
from simulators.platform.outage import ModeName
from tests.faults.expected import Sent
from tests.faults.plan import away, storm
from tests.faults.workload import ROUGH, applications

SEED: Final = 1
APPLICATIONS: Final = 10_000

KIND, MARKER, ADDRESS = "kind", "marker", "address"
"""Where a way of going wrong is played: a fault of the plan, one certificate's marker, one mail's address."""

PLAYED: Final = {
    "SIGKILL of a service": ((KIND, "service killed"),),
    "SIGTERM of a service": ((KIND, "service stopped"),),
    "ops away": ((KIND, "ops away"),),
    "RabbitMQ stopped": ((KIND, "rabbitmq restarted"),),
    "RabbitMQ killed": ((KIND, "rabbitmq killed"),),
    "connections closed by RabbitMQ": ((KIND, "broker connections closed"),),
    "memory alarm": ((KIND, "memory alarm"),),
    "disk alarm": ((KIND, "disk alarm"),),
    "PostgreSQL restarted": ((KIND, "postgres restarted"),),
    "PostgreSQL killed": ((KIND, "postgres killed"),),
    "connections cut by PostgreSQL": ((KIND, "database sessions ended"),),
    "PostgreSQL slow": ((KIND, "postgres slow"), (KIND, "tables locked")),
    "PostgreSQL that only reads": ((KIND, "database read only"),),
    "network cut": ((KIND, "connections cut"), (KIND, "network closed")),
    "network delayed": ((KIND, "network delayed"), (KIND, "network throttled")),
    "network half open": ((KIND, "network half open"),),
    "platform: 500": ((KIND, "platform 500"), (MARKER, "500x3"), (MARKER, "500-after")),
    "platform: 503 with Retry-After": ((KIND, "platform 503"), (MARKER, "503x2"), (MARKER, "503-date")),
    "platform: 429": ((KIND, "platform 429"), (MARKER, "429x2")),
    "platform: 401 for a while": ((KIND, "platform 401"), (KIND, "platform 403")),
    "platform: reset before storing": ((KIND, "platform reset"), (MARKER, "reset-before")),
    "platform: reset after storing": ((MARKER, "reset-after"), (MARKER, "cut")),
    "platform: silence": ((KIND, "platform silence"), (MARKER, "silence"), (MARKER, "silence-after")),
    "platform: slow drip": ((MARKER, "drip"), (MARKER, "slow")),
    "platform: 200 for a repeat": ((MARKER, "repeat-200"),),
    "platform: 409": ((MARKER, "409x2"),),
    "platform: 422 that refuses": ((MARKER, "refuse"),),
    "platform: 422 of a reused key": ((MARKER, "key-reused"),),
    "platform: unreadable answers": tuple((MARKER, name) for name in ("unreadable", "html", "empty", "huge")),
    "platform: arrived_at missing": ((MARKER, "arrived-missing"), (MARKER, "arrived-null")),
    "platform: arrived_at unreadable": ((MARKER, "arrived-unreadable"),),
    "platform: arrived_at in the past": ((MARKER, "arrived-past"),),
    "platform: arrived_at in the future": ((MARKER, "arrived-future"),),
    "platform: arrived_at of another zone": ((MARKER, "arrived-zone"), (MARKER, "arrived-lower")),
    "platform: planned maintenance": ((KIND, "platform maintenance"),),
    "platform: down for longer than any back-off": ((KIND, "platform away for longer than any back-off"),),
    "platform: killed": ((KIND, "platform-simulator killed"),),
    "SMTP: 421": ((KIND, "mail 421"), (ADDRESS, "smtp-421")),
    "SMTP: 450": ((KIND, "mail 450"), (ADDRESS, "smtp-450x2")),
    "SMTP: 550": ((KIND, "mail 550"), (ADDRESS, "smtp-550")),
    "SMTP: disconnect in DATA": ((ADDRESS, "smtp-drop-data"),),
    "SMTP: disconnect after the dot": ((ADDRESS, "smtp-drop-dot"),),
    "SMTP: disconnect before": ((KIND, "mail drop"), (ADDRESS, "smtp-drop")),
    "SMTP: silence": ((KIND, "mail silence"), (ADDRESS, "smtp-silence")),
    "SMTP: slow": ((KIND, "mail slow"), (ADDRESS, "smtp-slow")),
    "SMTP: slow greeting": ((KIND, "mail slow-greeting"),),
    "SMTP: no server": ((KIND, "mailbox-simulator killed"),),
    "clock that jumps forwards": ((KIND, "clock jumps forwards"),),
    "clock that jumps backwards": ((KIND, "clock jumps backwards"),),
    "process that stands still": ((KIND, "service paused"),),
    "work in hand lost with its process": ((KIND, "service killed while cut off"),),
    "deliveries doubled and reordered": ((KIND, "deliveries repeated and reordered"),),
    "second arrival with another time": ((KIND, "second arrival with another time"),),
    "poison among good ones": ((KIND, "poison"),),
}

_MARKERS: Final = re.compile(r"\[platform:([^\]]+)\]")


def _addresses(sent: Iterable[Sent]) -> set[str]:
    wished = (one.application["completion_mail"]["address"] or "" for one in sent)
    return {address.partition("+")[0] for address in wished if address.startswith("smtp-")}


@pytest.fixture(scope="module")
def played() -> dict[str, set[str]]:
    """What a storm of the size that `make storm` is asked for, and the command that waits out every back-off, play."""
    sent = applications(SEED, APPLICATIONS, ROUGH)
    markers = {name for one in sent for name in _MARKERS.findall(one.application["contract"]["project_name"])}
    faults = (*storm(SEED, 200).faults, *away(SEED).faults)
    return {KIND: {fault.kind for fault in faults}, MARKER: markers, ADDRESS: _addresses(sent)}


@pytest.mark.parametrize("way", PLAYED)
def test_every_way_to_go_wrong_is_played(way: str, played: dict[str, set[str]]) -> None:
    missing = [name for where, name in PLAYED[way] if name not in played[where]]

    assert PLAYED[way]
    assert not missing


def test_every_kind_of_fault_is_named_here(played: dict[str, set[str]]) -> None:
    """A fault that nobody names here would be missed by nobody either."""
    named = {name for ways in PLAYED.values() for where, name in ways if where == KIND}

    assert played[KIND] == named


def test_the_simulators_know_every_marker_address_and_mode(played: dict[str, set[str]]) -> None:
    for marker in played[MARKER]:
        assert script_of(f"[platform:{marker}]") != script_of("")
    for address in played[ADDRESS]:
        assert trick_of(f"{address}+A-1@kensetsu.example") is not None
    platform = {kind.removeprefix("platform ") for kind in played[KIND] if kind.startswith("platform ")}
    mail = {kind.removeprefix("mail ") for kind in played[KIND] if kind.startswith("mail ")}
    assert {mode for mode in platform if not mode.startswith("away")} <= set(get_args(ModeName))
    assert mail <= set(get_args(MailMode.model_fields["mode"].annotation))
