"""What the demo sends: the outside's four worst manners, and a mixed bag of good and bad applications."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any, Final

from simulators.portal.samples import BEGIN_DEFAULT, example, samples, with_platform

AMQP_PORTAL: Final = "portal-a"
HTTP_PORTAL: Final = "portal-b"
SEEDS: Final = {AMQP_PORTAL: 2026, HTTP_PORTAL: 2022}
"""Chosen so that each portal sends good applications and bad ones."""

MIXED_PER_PORTAL: Final = 10
WORKS_LAST: Final = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Manner:
    """What the platform does at the first POST of a certificate.

    Attributes:
        marker: what asks for it, in the project's name.
        tells: the same for people.
        posts: how many POSTs it must take until the certificate is settled.
    """

    marker: str
    tells: str
    posts: int


MANNERS: Final = (
    Manner("slow-2", "stores the certificate and answers two seconds late", posts=1),
    Manner("503", "says 503 with Retry-After first", posts=2),
    Manner("reset-after", "stores the certificate, then cuts the connection before it answers", posts=2),
    Manner("silence", "does not answer the first try at all", posts=2),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One application and what must become of it.

    Attributes:
        portal: who sends it; `portal-a` over AMQP, `portal-b` over HTTP.
        application: the body.
        pointers: where intake must point out a problem; empty for one that must be accepted.
        manner: what the platform does with its certificate; None where it behaves.
    """

    portal: str
    application: dict[str, Any]
    pointers: tuple[str, ...] = ()
    manner: Manner | None = None

    @property
    def application_id(self) -> str:
        """The portal's own id of it."""
        return str(self.application["application_id"])

    @property
    def accepted(self) -> bool:
        """Whether intake must accept it."""
        return not self.pointers

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The guarantees it asks for."""
        return list(self.application["guarantees"])

    @property
    def mail_wanted(self) -> bool:
        """Whether each of its electronic guarantees must bring one mail (domain rule 9)."""
        return bool(self.application["completion_mail"]["wanted"])


def cases(today: date) -> list[Case]:
    """All of them, those with a platform that misbehaves first, because they take longest.

    The works lie ahead of `today`: a guarantee whose works are over is shown as expired, not as active.
    """
    begin = max(today, BEGIN_DEFAULT)
    return [*_misbehaved(begin), *_mixed(AMQP_PORTAL, begin), *_mixed(HTTP_PORTAL, begin)]


def _misbehaved(begin: date) -> Iterator[Case]:
    for number, manner in enumerate(MANNERS, start=1):
        portal = AMQP_PORTAL if number % 2 else HTTP_PORTAL
        application = with_platform(example(portal, f"D-{number:06d}"), manner.marker)
        application["contract"] |= {
            "contract_date": begin.isoformat(),
            "works_from": (begin + timedelta(days=1)).isoformat(),
            "works_until": (begin + WORKS_LAST).isoformat(),
        }
        yield Case(portal, application, manner=manner)


def _mixed(portal: str, begin: date) -> Iterator[Case]:
    for sample in islice(samples(portal, SEEDS[portal], begin=begin), MIXED_PER_PORTAL):
        yield Case(portal, sample.application, tuple(fault.pointer for fault in sample.faults))
