"""The platform over HTTPS: one session with kept-alive connections; answers come back as values, bounded and unjudged.

Nothing here logs: a body holds the authentication key.
"""

import ssl
from pathlib import Path
from typing import Final

import aiohttp

from services.platform_bridge.domain.answers import Answer, Heard, NoAnswer, NotSent
from shared.errors import Misconfigured

CONNECTIONS_MAX: Final = 32
CONNECT_S_MAX: Final = 4.0
POST_S_MAX: Final = 12.0
GET_S_MAX: Final = 5.0
IDLE_CONNECTION_S_MAX: Final = 50.0
ANSWER_BYTES_MAX: Final = 64 * 1024

_JSON: Final = "application/json"


class Platform:
    """The municipal confirmation platform, as section 4 of the contracts describes it."""

    def __init__(self, url: str, token: str, ca_file: Path | None = None) -> None:
        self._certificates = f"{url}/v1/certificates"
        self._token = token
        self._ca_file = ca_file
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; connections are made when they are needed."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX, keepalive_timeout=IDLE_CONNECTION_S_MAX, ssl=self._vouched_for()
            ),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Accept": "application/json, application/problem+json",
                # Compressed answers could grow beyond every bound while they are read.
                "Accept-Encoding": "identity",
            },
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    def _vouched_for(self) -> ssl.SSLContext | bool:
        """How the platform's certificate is verified; True leaves it to the authorities this machine trusts."""
        if self._ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise Misconfigured(f"{self._ca_file}: holds no certificate in PEM ({type(error).__name__}).") from error

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def post(self, key: str, body: bytes) -> Heard:
        """Post a certificate under its key, which stands as a quoted structured-field string (RFC 9651)."""
        headers = {"Idempotency-Key": f'"{key}"', "Content-Type": _JSON}
        return await self._ask("POST", self._certificates, POST_S_MAX, headers, body)

    async def get(self, key: str) -> Heard:
        """Ask whether and when a certificate arrived; the key is also the path."""
        return await self._ask("GET", f"{self._certificates}/{key}", GET_S_MAX)

    async def _ask(
        self,
        method: str,
        url: str,
        seconds_max: float,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Heard:
        if self._session is None:
            return NotSent("the session is not open")
        timeout = aiohttp.ClientTimeout(total=seconds_max, sock_connect=CONNECT_S_MAX)
        try:
            # A redirect would carry key and token to an address nobody configured.
            async with self._session.request(
                method, url, headers=headers, data=body, timeout=timeout, allow_redirects=False
            ) as response:
                return Answer(response.status, await _bounded(response), response.headers.get("Retry-After"))
        except aiohttp.ClientConnectorCertificateError as error:
            return NotSent(f"the platform's TLS certificate is not valid: {error.certificate_error}", our_setup=True)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return NotSent(f"no connection: {type(error).__qualname__}")
        except (aiohttp.ClientError, OSError) as error:
            return NoAnswer(f"no answer: {type(error).__qualname__}")


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None when it is longer than any answer of the contract or breaks off."""
    body = bytearray()
    try:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                response.close()
                return None
    except (aiohttp.ClientError, OSError):
        return None
    return bytes(body)
