"""The HTTP doors a portal knows: intake's and the issuer's (contracts, sections 3 and 5)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import aiohttp

CALL_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `json()` reads the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


class Doors:
    """Calls with the portal's bearer token. Every call raises aiohttp.ClientError or TimeoutError when cut off."""

    def __init__(self, intake_url: str, issuer_url: str, token: str) -> None:
        self._intake = intake_url.rstrip("/")
        self._issuer = issuer_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Opens the connections."""
        timeout = aiohttp.ClientTimeout(total=CALL_S_MAX)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def apply(self, application: object) -> Reply:
        """Sends an application: 202, or 200 for a repeat, 409, 413, 422, 429."""
        return await self._call("POST", f"{self._intake}/v1/applications", body=application)

    async def check(self, application: object) -> Reply:
        """Has an application judged without sending it."""
        return await self._call("POST", f"{self._intake}/v1/applications/check", body=application)

    async def change(self, change: object) -> Reply:
        """Sends a change."""
        return await self._call("POST", f"{self._intake}/v1/changes", body=change)

    async def application(self, application_id: str) -> Reply:
        """Reads an application back."""
        return await self._call("GET", f"{self._intake}/v1/applications/{quote(application_id, safe='')}")

    async def applications(self, **query: str) -> Reply:
        """Lists applications, newest first."""
        return await self._call("GET", f"{self._intake}/v1/applications", query=query)

    async def obligees(self) -> Reply:
        """Who supports electronic guarantees, and by which rules."""
        return await self._call("GET", f"{self._intake}/v1/obligees")

    async def problems(self) -> Reply:
        """The catalogue of problem codes."""
        return await self._call("GET", f"{self._intake}/v1/problems")

    async def guarantees(self, **query: str) -> Reply:
        """Lists guarantees."""
        return await self._call("GET", f"{self._issuer}/v1/guarantees", query=query)

    async def guarantee(self, number: str) -> Reply:
        """One guarantee in detail."""
        return await self._call("GET", self._of(number))

    async def reveal_key(self, number: str, viewer: str) -> Reply:
        """The authentication key; the issuer logs who looked."""
        return await self._call("POST", self._of(number, "auth-key"), body={"viewer": viewer})

    async def key_notice(self, number: str, viewer: str) -> Reply:
        """The notice of the authentication key, a PDF."""
        return await self._call("POST", self._of(number, "key-notice"), body={"viewer": viewer})

    async def certificate(self, number: str, version: int, accept: str = "application/json") -> Reply:
        """A version's certificate: the signed JSON, or a PDF by `accept`."""
        return await self._call("GET", self._of(number, "certificates", str(version)), headers={"Accept": accept})

    async def completion_mail(self, number: str, address: str | None = None) -> Reply:
        """Has the completion mail sent again, to a mended address when one is given."""
        body = {} if address is None else {"address": address}
        return await self._call("POST", self._of(number, "completion-mail"), body=body)

    def _of(self, number: str, *rest: str) -> str:
        return "/".join([f"{self._issuer}/v1/guarantees/{quote(number, safe='')}", *rest])

    async def _call(
        self,
        method: str,
        url: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        if self._session is None:
            raise RuntimeError("The doors are shut; use them inside `async with`.")
        given = dict(headers or {})
        data: bytes | None = None
        if body is not None:
            given["Content-Type"] = "application/json"
            data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        async with self._session.request(method, url, data=data, params=query, headers=given) as answer:
            return Reply(answer.status, dict(answer.headers), await answer.read())
