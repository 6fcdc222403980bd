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
