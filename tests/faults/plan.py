"""What will be done to the system, drawn from a seed: the same seed gives the same plan."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from shared.topology import SERVICES
from tests.faults.kinds import Fault
from tests.faults.kinds.network import Closed, Cut, Delayed, HalfOpen, Throttled
from tests.faults.kinds.outside import ArrivedAgain, MailTrouble, PlatformTrouble, Poisoned, Repeated
from tests.faults.kinds.processes import Killed, KilledWhileCutOff, Paused, Stopped
from tests.faults.kinds.servers import Alarm, ConnectionsClosed, ReadOnly, SessionsEnded, TableLocked

PLATFORM_MODES: Final = ("503", "500", "429", "403", "401", "reset", "silence", "maintenance")
MAIL_MODES: Final = ("421", "450", "drop", "silence", "slow")
WIRES: Final = (
    *(f"{service}-{server}" for service in SERVICES for server in ("postgres", "rabbitmq")),
    *("platform_bridge-platform", "notifier-smtp", "*-postgres", "*-rabbitmq"),
)
ANNOUNCING: Final = ("intake", "issuer", "platform_bridge", "notifier")

Draw = Callable[[Random], Fault]

KINDS: Final[Sequence[Draw]] = (
    lambda dice: Killed(dice.choice(SERVICES), dice.uniform(0, 2)),
    lambda dice: Killed(dice.choice(SERVICES)),
    lambda dice: KilledWhileCutOff(dice.choice(ANNOUNCING), dice.uniform(0.3, 3)),
    lambda dice: Stopped(dice.choice(SERVICES), dice.uniform(0, 1)),
    lambda dice: Stopped("ops", dice.uniform(5, 15)),
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
    lambda dice: PlatformTrouble(dice.choice(PLATFORM_MODES), dice.uniform(0.5, 5)),
    lambda dice: PlatformTrouble(dice.choice(PLATFORM_MODES), dice.uniform(0.5, 2)),
    lambda dice: MailTrouble(dice.choice(MAIL_MODES), dice.uniform(0.5, 4)),
    lambda dice: Repeated(dice.getrandbits(32), dice.uniform(0.5, 3)),
    lambda dice: ArrivedAgain(dice.getrandbits(32), dice.uniform(0.5, 3)),
    lambda dice: Poisoned(dice.getrandbits(32), dice.randrange(1, 20)),
)
"""Kinds that any system stands; each draws its own victim and length."""

KINDS_OF_OWN_SERVERS: Final[Sequence[Draw]] = (
    lambda dice: Killed("rabbitmq", dice.uniform(0, 2)),
    lambda dice: Stopped("rabbitmq", dice.uniform(0, 2)),
    lambda dice: Killed("postgres", dice.uniform(0, 2)),
    lambda dice: Stopped("postgres", dice.uniform(0, 2)),
    lambda dice: Alarm(dice.choice(("memory", "disk")), dice.uniform(1, 5)),
)
"""Kinds that need a PostgreSQL and a RabbitMQ that nobody else uses."""

OWN_SERVERS_SHARE: Final = 0.12
SPARE_PART: Final = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """Faults in their order. How they overlap is the machine's affair; what they are is the seed's."""

    seed: int
    faults: tuple[Fault, ...]

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
        Repeated(dice.getrandbits(32), 0.5),
        Poisoned(dice.getrandbits(32), 5),
    ]
    dice.shuffle(faults)
    # Not at the end, where nothing arrives any more that could arrive again.
    faults.insert(len(faults) // 3, ArrivedAgain(dice.getrandbits(32), 2.0))
    return Plan(seed, tuple(faults))


def storm(seed: int, count: int) -> Plan:
    """At least so many faults, and some to spare for those that find nothing to hit; every kind comes once."""
    dice = Random(f"storm/{seed}")
    drawn = [draw(dice) for draw in (*KINDS, *KINDS_OF_OWN_SERVERS)]
    while len(drawn) < count + count // SPARE_PART:
        own = dice.random() < OWN_SERVERS_SHARE
        drawn.append(dice.choice(KINDS_OF_OWN_SERVERS if own else KINDS)(dice))
    dice.shuffle(drawn)
    return Plan(seed, tuple(drawn))
