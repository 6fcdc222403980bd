"""What the demo sends: the outside's four worst manners, and a mixed bag of good and bad applications."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from simulators.portal.samples import example, samples, with_platform

AMQP_PORTAL: Final = "portal-a"
HTTP_PORTAL: Final = "portal-b"
SEEDS: Final = {AMQP_PORTAL: 2026, HTTP_PORTAL: 2022}
"""Chosen so that each portal sends good applications and bad ones."""

MIXED_PER_PORTAL: Final = 10

MANNERS: Final = {
    "slow-2": "stores the certificate and answers two seconds late",
    "503": "says 503 with Retry-After first",
    "reset-after": "stores the certificate, then cuts the connection before it answers",
    "silence": "does not answer the first try at all",
}
"""Marker in the project's name → what the platform does at the first POST."""


@dataclass(frozen=True, slots=True)
class Case:
    """One application and what must become of it.

    Attributes:
        portal: who sends it; `portal-a` over AMQP, `portal-b` over HTTP.
        application: the body.
        pointers: where intake must point out a problem; empty for one that must be accepted.
        manner: what the platform does with its certificate, in words; empty where it behaves.
    """

    portal: str
    application: dict[str, Any]
    pointers: tuple[str, ...] = ()
    manner: str = ""

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


def cases() -> list[Case]:
    """All of them, those with a platform that misbehaves first, because they take longest."""
    return [*_misbehaved(), *_mixed(AMQP_PORTAL), *_mixed(HTTP_PORTAL)]


def _misbehaved() -> Iterator[Case]:
    for number, (marker, manner) in enumerate(MANNERS.items(), start=1):
        portal = AMQP_PORTAL if number % 2 else HTTP_PORTAL
        application = with_platform(example(portal, f"D-{number:06d}"), marker)
        yield Case(portal, application, manner=manner)


def _mixed(portal: str) -> Iterator[Case]:
    for sample in islice(samples(portal, SEEDS[portal]), MIXED_PER_PORTAL):
        yield Case(portal, sample.application, tuple(fault.pointer for fault in sample.faults))
