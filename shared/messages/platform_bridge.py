"""What the platform bridge announces: the platform's own word on a certificate."""

from datetime import datetime
from typing import ClassVar

from shared.messages import Message


class CertificateArrived(Message):
    """The platform holds the certificate. `arrived_at` is the platform's first arrival time, never our clock's."""

    TYPE: ClassVar[str] = "platform_bridge.certificate_arrived.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    arrived_at: datetime
    certificate_id: str


class CertificateRefused(Message):
    """The platform refused this version for good; the office mends it by a correction."""

    TYPE: ClassVar[str] = "platform_bridge.certificate_refused.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    problem_type: str
    detail: str
    refused_at: datetime


class CertificateHeld(Message):
    """Nothing more is tried with this version until a person has looked, for the platform's word cannot be used."""

    TYPE: ClassVar[str] = "platform_bridge.certificate_held.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    reason: str
    held_at: datetime


class CertificateReleased(Message):
    """A person has looked; the version is being posted again."""

    TYPE: ClassVar[str] = "platform_bridge.certificate_released.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    released_at: datetime
