"""The mailbox, put together.

Takes: SMTP on one port. Serves: GET /messages, GET /messages/{id}, DELETE /messages, /mode, a page at /, /livez.
Keeps: every message in one sqlite file, on disk before the reply to the final dot.
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from simulators.ledger import Ledger, Survives
from simulators.mailbox.settings import MailboxSettings
from simulators.mailbox.smtp import Conversation, Postman, Switch, tls_context
from simulators.mailbox.store import SCHEMA
from simulators.mailbox.web import MailboxDoor
from simulators.program import serving


@asynccontextmanager
async def start() -> AsyncIterator[Mapping[str, object]]:
    """Opens the mailbox; yields its two ports."""
    settings = MailboxSettings.model_validate({})
    settings.storage.parent.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(settings.storage, SCHEMA, Survives.POWER_LOSS)
    await ledger.open()
    switch = Switch()
    options = _options(settings)
    postman = Postman(ledger, switch)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(postman, **options), settings.host, settings.smtp_port)
    try:
        application = web.Application()
        application.add_routes(MailboxDoor(ledger, switch).routes())
        async with serving(application, settings.host, settings.http_port, list) as http_port:
            yield {"http_port": http_port, "smtp_port": server.sockets[0].getsockname()[1]}
    finally:
        server.close()
        await ledger.close()


def _options(settings: MailboxSettings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if settings.tls_cert is not None:
        key = str(settings.tls_key) if settings.tls_key is not None else None
        options["tls_context"] = tls_context(str(settings.tls_cert), key)
    if settings.username is not None and settings.password is not None:
        expected = LoginPassword(settings.username.encode(), settings.password.get_secret_value().encode())
        options["authenticator"] = _authenticator(expected)
        options["auth_required"] = True
        options["auth_require_tls"] = settings.tls_cert is not None
    return options


def _authenticator(expected: LoginPassword) -> Any:
    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False, handled=False)
        right = hmac.compare_digest(given.login, expected.login)
        right &= hmac.compare_digest(given.password, expected.password)
        return AuthResult(success=right, handled=False)

    return authenticate
