"""A thin door to RabbitMQ's management HTTP API, the same on 3.10 and 4.x."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import aiohttp
from yarl import URL

from shared.errors import Misconfigured, Transient

REQUEST_TIMEOUT_S: Final = 30
REQUESTS_AT_ONCE_MAX: Final = 8
"""Quorum queues are declared by consensus; more at once than this only queue up inside the node."""

_OK: Final = (200, 201, 204)


class Unreachable(Transient):
    """The broker's management API did not answer; see that the broker runs and the URL is right, and try again."""


class Refused(Misconfigured):
    """The broker's management API said no; the reason it gave stands behind this sentence."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Management:
    """The API as one administrator, for one virtual host.

    Attributes:
        session: carries the credentials; they never stand in a URL, a log line or an error.
        base: `http://host:port`.
        vhost: the virtual host all relative paths are for.
        administrator: the user we are; it is left alone when users are compared.
    """

    session: aiohttp.ClientSession
    base: str
    vhost: str
    administrator: str

    def path(self, kind: str, *names: str) -> str:
        """`/api/<kind>/<vhost>/<names…>`, each part quoted."""
        return "/".join(["/api", kind, *(quote(name, safe="") for name in (self.vhost, *names))])

    async def get(self, path: str) -> Any:
        """The JSON at a path, or None where there is nothing."""
        return await self._ask("GET", path, missing_is_none=True)

    async def put(self, path: str, body: object) -> None:
        """Create or replace what is at a path."""
        await self._ask("PUT", path, body)

    async def post(self, path: str, body: object) -> None:
        """Add to what is at a path."""
        await self._ask("POST", path, body)

    async def delete(self, path: str) -> None:
        """Take away what is at a path; nothing there is fine."""
        await self._ask("DELETE", path, missing_is_none=True)

    async def _ask(self, method: str, path: str, body: object = None, *, missing_is_none: bool = False) -> Any:
        try:
            # Encoded already: a quoted slash in a name must reach the broker quoted.
            address = URL(self.base + path, encoded=True)
            async with self.session.request(method, address, json=body) as answer:
                if answer.status == 404 and missing_is_none:
                    return None
                if answer.status not in _OK:
                    text = (await answer.text())[:500]
                    raise Refused(f"{method} {path} was answered {answer.status}: {text}", answer.status)
                return await answer.json(content_type=None) if answer.status == 200 else None
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
            raise Unreachable(f"The management API at {self.base} did not answer ({type(error).__name__}).") from error


@asynccontextmanager
async def management(url: str, vhost: str) -> AsyncIterator[Management]:
    """Open the API at `http://user:password@host:port` for one virtual host."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    async with aiohttp.ClientSession(
        headers={"Authorization": aiohttp.encode_basic_auth(user, password)},
        connector=aiohttp.TCPConnector(limit=REQUESTS_AT_ONCE_MAX),
        timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S),
    ) as session:
        yield Management(session, base, vhost, user)


def password_hash(password: str, salt: bytes | None = None) -> str:
    """RabbitMQ's salted SHA-256 of a password, so that the API never gets the password itself."""
    salt = salt or secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def is_password(password: str, known_hash: str) -> bool:
    """Tell whether a stored hash is of this password."""
    salt = base64.b64decode(known_hash)[:4]
    return hmac.compare_digest(password_hash(password, salt), known_hash)


async def in_parallel(*steps: Any) -> None:
    """Run steps that do not depend on each other; the first failure stops the rest and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
