"""TLS certificates of whoever we call: valid by the authorities this machine trusts, and for some weeks to come."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from aiosmtplib import SMTP, SMTPException

DAYS_LEFT_MIN: Final = 21
ANSWER_S_MAX: Final = 10.0
RENEW: Final = "renew it"

_PORTS: Final = {"https": 443, "amqps": 5671, "smtps": 465, "smtp": 25}


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A place that is spoken to by TLS; `is_mail` where the encryption may begin within the conversation."""

    host: str
    port: int
    is_mail: bool
    from_first_byte: bool


def encrypted(url: str) -> Encrypted | None:
    """Where a URL leads, if that is or may become TLS."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or parts.hostname is None:
        return None
    is_mail = parts.scheme in ("smtp", "smtps")
    return Encrypted(parts.hostname, parts.port or _PORTS[parts.scheme], is_mail, parts.scheme != "smtp")


async def of_url(name: str, url: str, trust: ssl.SSLContext | None = None) -> list[str]:
    """Findings about the certificate behind a URL; none where nothing is encrypted."""
    where = encrypted(url)
    if where is None:
        return []
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            certificate = await _shown(where, trust or ssl.create_default_context())
    except (OSError, SMTPException, TimeoutError) as failure:
        refused = _refused(failure)
        if refused is not None:
            return [f"{name}: its certificate does not hold ({refused}) — {RENEW}, or make its authority known here"]
        return [f"{name}: it did not answer ({type(failure).__name__}) — see that it runs, and that its URL is right"]
    return [] if certificate is None else ending(name, certificate, datetime.now(UTC))


def _refused(failure: BaseException | None) -> str | None:
    """Why a certificate was not taken, wherever among the causes that stands."""
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return failure.verify_message
        failure = failure.__cause__
    return None


def ending(name: str, certificate: dict[str, Any], now: datetime) -> list[str]:
    """Whether a certificate ends soon."""
    ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends_at - now).days
    if days >= DAYS_LEFT_MIN:
        return []
    return [f"{name}: its certificate ends on {ends_at:%Y-%m-%d}, {days} days from now — {RENEW}"]


async def _shown(where: Encrypted, trust: ssl.SSLContext) -> dict[str, Any] | None:
    """The certificate that is shown there; None if a mail server offers no encryption."""
    found: dict[str, Any] | None
    if where.is_mail:
        client = SMTP(hostname=where.host, port=where.port, use_tls=where.from_first_byte, tls_context=trust)
        async with client:
            found = client.get_transport_info("peercert")
            return found
    _, writer = await asyncio.open_connection(where.host, where.port, ssl=trust)
    try:
        found = writer.get_extra_info("peercert")
        return found
    finally:
        writer.close()
