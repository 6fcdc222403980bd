"""The platform simulator, put together.

Serves: POST /v1/certificates, GET /v1/certificates/{number}/{version}, POST /v1/checks, /admin/*, /livez, and at /
the page on which officials check a certificate.
Keeps: every arrived certificate and a record of every request, in one sqlite file that outlives `kill -9`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

from simulators.ledger import Ledger, Survives
from simulators.platform.admin import AdminDoor
from simulators.platform.checks import Checking, ChecksDoor
from simulators.platform.keyed import KeyedDigest
from simulators.platform.officials import OfficialsDoor
from simulators.platform.outage import Outage
from simulators.platform.settings import PlatformSettings
from simulators.platform.signature import SigningKeys
from simulators.platform.store import SCHEMA
from simulators.platform.web import BODY_BYTES_MAX, Bearer, CertificatesDoor
from simulators.program import serving


@asynccontextmanager
async def start() -> AsyncIterator[Mapping[str, object]]:
    """Opens the platform; yields its port."""
    settings = PlatformSettings.model_validate({})
    settings.storage.parent.mkdir(parents=True, exist_ok=True)
    keyed = KeyedDigest.beside(settings.storage)
    ledger = Ledger(settings.storage, SCHEMA, Survives.KILL)
    await ledger.open()
    try:
        application = _application(settings, ledger, keyed)
        async with serving(application, settings.host, settings.port, list) as port:
            yield {"http_port": port}
    finally:
        await ledger.close()


def _application(settings: PlatformSettings, ledger: Ledger, keyed: KeyedDigest) -> web.Application:
    bearer = Bearer(settings.token.get_secret_value())
    posting = settings.posting_tokens or settings.token
    posters = Bearer(*posting.get_secret_value().split(","))
    outage = Outage()
    keys = SigningKeys(settings.jwks_url) if settings.jwks_url is not None else None
    application = web.Application(client_max_size=BODY_BYTES_MAX)
    application.add_routes(CertificatesDoor(ledger, keyed, posters, outage, keys).routes())
    checking = Checking(ledger, keyed)
    application.add_routes([web.post("/v1/checks", ChecksDoor(checking, outage).post)])
    application.add_routes(OfficialsDoor(checking, keys).routes())
    application.add_routes(AdminDoor(ledger, bearer, outage).routes())
    return application
