"""What stands around every web application: the security headers of every answer, and a bound on every body.

Frameworks read a body before they ask who sends it, and to its end. So the bound stands outside of them.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX: Final = 1_048_576
"""What any route takes at the most; those that read by hand have lower bounds of their own."""

BODY_READ_S_MAX: Final = 30.0

# What we serve is private and is data; a page that needs more (the console) sets its own, which then stands.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class SecurityHeaders:
    """Puts the security headers on every response that has not its own; a plain ASGI wrapper, as it is on every one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BoundedBodies:
    """Gives up a body that is larger than `BODY_BYTES_MAX`, or is not there after `BODY_READ_S_MAX`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # The rest of a refused body would be read as the next request, or at our cost, so the connection ends with it.
        ends = {"Connection": "close"}
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        is_large = len(declared) > len(str(BODY_BYTES_MAX)) or (declared.isdigit() and int(declared) > BODY_BYTES_MAX)
        until_s: float | None = None
        received_bytes, is_whole = 0, False

        async def bounded() -> Message:
            nonlocal received_bytes, until_s, is_whole
            if is_whole:
                # What is waited for now is no body any more but the end of the connection.
                return await receive()
            if is_large:
                raise HTTPException(413, headers=ends)
            until_s = until_s or asyncio.get_running_loop().time() + BODY_READ_S_MAX
            try:
                async with asyncio.timeout_at(until_s):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers=ends) from None
            received_bytes += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            if received_bytes > BODY_BYTES_MAX:
                raise HTTPException(413, headers=ends)
            return message

        await self._app(scope, bounded, send)
