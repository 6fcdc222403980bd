"""What will be done to the system, drawn from a seed: the same seed gives the same plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from deploy.local.programs import simulator
from shared.errands.backoff import BACKOFF_S_MAX
from shared.topology import SERVICES
from tests.faults.kinds import Fault
from tests.faults.kinds.clocks import FAR_S_MAX, FAR_S_MIN, NEAR_S_MAX, ClockJumped
from tests.faults.kinds.network import Closed, Cut, Delayed, HalfOpen, Throttled
from tests.faults.kinds.outside import (
    ArrivedAgain,
    MailTrouble,
    PlatformAway,
    PlatformTrouble,
    Poisoned,
    Repeated,
)
from tests.faults.kinds.processes import Killed, KilledWhileCutOff, Paused, Stopped
from tests.faults.kinds.servers import Alarm, ConnectionsClosed, ReadOnly, SessionsEnded, TableLocked

PLATFORM_MODES: Final = ("503", "500", "429", "reset", "silence", "maintenance")
MAIL_MODES: Final = ("421", "450", "drop", "silence", "slow", "slow-greeting")
CLOSING_PLATFORM_MODES: Final = ("401", "403")
CLOSING_MAIL_MODES: Final = ("550",)
"""Said to everybody these mean that our own credentials are wrong: the errand stops and is probed once a minute."""

WIRES: Final = (
    *(f"{service}-{server}" for service in SERVICES for server in ("postgres", "rabbitmq")),
    *("platform_bridge-platform", "notifier-smtp", "*-postgres", "*-rabbitmq"),
)
ANNOUNCING: Final = ("intake", "issuer", "platform_bridge", "notifier")
CLOCKS_THAT_DECIDE: Final = ("issuer", "platform_bridge")
"""Their clocks are compared with the platform's; more than five minutes apart, arrivals are held for a person."""

Draw = Callable[[Random], Fault]


def _platform(mode: str, dice: Random) -> Fault:
    return PlatformTrouble(mode, dice.uniform(0.5, 4))


def _mail(mode: str, dice: Random) -> Fault:
    return MailTrouble(mode, dice.uniform(0.5, 4))


def _clock(direction: int, dice: Random) -> Fault:
    name = dice.choice(SERVICES)
    if name in CLOCKS_THAT_DECIDE:
        by_s = direction * dice.uniform(60, NEAR_S_MAX)
    else:
        by_s = dice.uniform(60, FAR_S_MAX) if direction > 0 else dice.uniform(FAR_S_MIN, -60)
    return ClockJumped(name, round(by_s, 3), dice.uniform(1, 5))


KINDS: Final[Sequence[Draw]] = (
    lambda dice: Killed(dice.choice(SERVICES), dice.uniform(0, 2)),
    lambda dice: Killed(dice.choice(SERVICES)),
    lambda dice: KilledWhileCutOff(dice.choice(ANNOUNCING), dice.uniform(0.3, 3)),
    lambda dice: Stopped(dice.choice(SERVICES), dice.uniform(0, 1)),
    lambda dice: Paused(dice.choice(SERVICES), dice.uniform(0.5, 6)),
    lambda dice: Cut(dice.choice(WIRES)),
    lambda dice: Cut(dice.choice(WIRES)),
    lambda dice: Closed(dice.choice(WIRES), dice.uniform(0.5, 5)),
    lambda dice: HalfOpen(dice.choice(WIRES), dice.uniform(0.5, 8), cut_at_the_end=dice.random() < 0.7),
    lambda dice: Delayed(dice.choice(WIRES), dice.uniform(1, 5), dice.uniform(0.01, 0.2)),
    lambda dice: Delayed("*-postgres", dice.uniform(1, 4), dice.uniform(0.01, 0.05)),
    lambda dice: Throttled(dice.choice(WIRES), dice.uniform(1, 4), dice.uniform(2_000, 50_000)),
    lambda dice: ConnectionsClosed(dice.choice((*SERVICES, "portal-a", "office"))),
    lambda dice: SessionsEnded(dice.choice((*SERVICES, "all"))),
    lambda dice: TableLocked(dice.choice(ANNOUNCING), dice.uniform(0.5, 4)),
    lambda dice: ReadOnly(dice.uniform(0.5, 4)),
    *(partial(_clock, direction) for direction in (1, -1)),
    *(partial(_platform, mode) for mode in PLATFORM_MODES),
    *(partial(_mail, mode) for mode in MAIL_MODES),
    lambda dice: Killed(simulator("platform"), dice.uniform(0.5, 3)),
    lambda dice: Killed(simulator("mailbox"), dice.uniform(0.5, 3)),
    lambda dice: Repeated(dice.getrandbits(32), dice.uniform(0.5, 3)),
    lambda dice: ArrivedAgain(dice.getrandbits(32), dice.uniform(0.5, 3)),
    lambda dice: Poisoned(dice.getrandbits(32), dice.randrange(1, 20)),
)
"""Kinds that any system stands; each draws its own victim and length."""

KINDS_ONCE: Final[Sequence[Draw]] = (
    lambda dice: Stopped("ops", dice.uniform(5, 15)),
    *(partial(_platform, mode) for mode in CLOSING_PLATFORM_MODES),
    *(partial(_mail, mode) for mode in CLOSING_MAIL_MODES),
)
"""Kinds whose consequences last so long that a second one would only hide behind the first."""

KINDS_OF_OWN_SERVERS: Final[Sequence[Draw]] = (
    lambda dice: Killed("rabbitmq", dice.uniform(0, 2)),
    lambda dice: Stopped("rabbitmq", dice.uniform(0, 2)),
    lambda dice: Killed("postgres", dice.uniform(0, 2)),
    lambda dice: Stopped("postgres", dice.uniform(0, 2)),
    lambda dice: Alarm("memory", dice.uniform(1, 5)),
    lambda dice: Alarm("disk", dice.uniform(1, 5)),
)
"""Kinds that need a PostgreSQL and a RabbitMQ that nobody else uses."""

LEFT_TO_OWN_SERVERS: Final = "RabbitMQ and PostgreSQL killed and restarted, memory and disk alarms"
"""What `KINDS_OF_OWN_SERVERS` is, for people."""

OWN_SERVERS_SHARE: Final = 0.05
SPARE_PART: Final = 2
"""One spare to so many faults. Only as many are carried out as it takes until enough have hit something."""
STORM_KINDS_MIN: Final = 20
QUICK_STRUCK_PART_MIN: Final = 0.6
AWAY_PART: Final = 1.1


@dataclass(frozen=True, slots=True)
class Plan:
    """Faults in their order. How they overlap is the machine's affair; what they are is the seed's.

    Attributes:
        spares: how many at the end are only for those before them that find nothing to hit.
        struck_min, kinds_min: how many faults of how many kinds must really hit something; fewer prove too little.
            A round ends when so many have, or when there is none left.
    """

    seed: int
    faults: tuple[Fault, ...]
    struck_min: int
    kinds_min: int
    spares: int = 0

    @property
    def lines(self) -> list[str]:
        """The plan in words, one line each."""
        return [f"{number:>4} {fault.kind:<36} {fault}" for number, fault in enumerate(self.faults, start=1)]


def quick(seed: int) -> Plan:
    """Each service killed once, the broker's and the database's connections cut, the outside troubled: all brief."""
    dice = Random(f"quick/{seed}")
    faults: list[Fault] = [
        *(Killed(service) for service in SERVICES if service != "intake"),
        KilledWhileCutOff("intake", 0.7),
        KilledWhileCutOff(dice.choice(ANNOUNCING[1:]), 0.7),
        Cut("*-rabbitmq"),
        SessionsEnded("all"),
        Cut(dice.choice(("platform_bridge-platform", "notifier-smtp"))),
        PlatformTrouble(dice.choice(("503", "500", "reset")), 0.7),
        MailTrouble(dice.choice(("421", "450", "drop")), 0.7),
        HalfOpen(dice.choice(WIRES[:10]), 0.7, cut_at_the_end=True),
        ClockJumped(dice.choice(CLOCKS_THAT_DECIDE), dice.choice((-NEAR_S_MAX, NEAR_S_MAX)), 0.7),
        Repeated(dice.getrandbits(32), 0.5),
        Poisoned(dice.getrandbits(32), 5),
    ]
    dice.shuffle(faults)
    # Not at the end, where nothing arrives any more that could arrive again.
    faults.insert(len(faults) // 3, ArrivedAgain(dice.getrandbits(32), 2.0))
    return Plan(seed, tuple(faults), int(len(faults) * QUICK_STRUCK_PART_MIN), 1)


def storm(seed: int, count: int, *, own_servers: bool = True) -> Plan:
    """So many faults, every kind at least once, and after them spares for those that find nothing to hit.

    Without `own_servers` nothing is done to PostgreSQL and RabbitMQ that others would feel too.
    """
    dice = Random(f"storm/{seed}")
    own: Sequence[Draw] = KINDS_OF_OWN_SERVERS if own_servers else ()
    drawn = [draw(dice) for draw in (*KINDS, *KINDS_ONCE, *own)]
    while len(drawn) < count:
        drawn.append(_drawn(dice, own))
    dice.shuffle(drawn)
    drawn += [_drawn(dice, own) for _ in range(count // SPARE_PART)]
    return Plan(seed, tuple(drawn), count, min(STORM_KINDS_MIN, count), spares=count // SPARE_PART)


def _drawn(dice: Random, own: Sequence[Draw]) -> Fault:
    of_servers = dice.random() < OWN_SERVERS_SHARE
    return dice.choice(own if own and of_servers else KINDS)(dice)


def away(seed: int) -> Plan:
    """The platform cannot be reached for longer than any row waits between two tries."""
    return Plan(seed, (PlatformAway(BACKOFF_S_MAX * AWAY_PART),), 1, 1)
