"""platform_bridge: posts certificates to the municipal confirmation platform and brings back when they arrived.

Hears
    issuer.certificate_created: the signed bytes of a certificate and its sealed key
Announces
    platform_bridge.certificate_arrived, platform_bridge.certificate_refused,
    platform_bridge.certificate_held, platform_bridge.certificate_released
On its clock
    post_certificate: due posts, in the order of versions, again with the same bytes until the platform has spoken
Owns
    certificate_post
Outside
    the platform: POST and GET /v1/certificates
"""

from functools import partial
from typing import Final

from services.platform_bridge.edge import CONNECTIONS_MAX, Platform
from services.platform_bridge.handlers import (
    POST_CERTIFICATE,
    Poster,
    Shelf,
    keep_certificates,
    record_outcomes,
    sealed_rows,
    set_gauges,
    tell_of_holds,
    tell_of_releases,
)
from services.platform_bridge.settings import Settings
from shared.errands import Errand
from shared.messages.issuer import CertificateCreated
from shared.messages.platform_bridge import CertificateArrived, CertificateHeld, CertificateRefused, CertificateReleased
from shared.operator_door.keys import Sealed
from shared.sealing import KeyRing
from shared.service import Hears, Service

CALL_S_MAX: Final = 20.0
"""A POST and the GET that may follow it, with their own time-outs inside."""

LEASE_S: Final = 45.0


def build_app() -> Service:
    """The service, its table of what it hears, and its one errand."""
    settings = Settings()
    platform = Platform(settings.platform_url, settings.platform_token.get_secret_value(), settings.platform_ca_file)
    keys = KeyRing.parse(settings.sealing_keys.get_secret_value())
    shelf = Shelf(lambda: service.pool)
    poster = Poster(platform, keys, shelf)
    service = Service(
        name="platform_bridge",
        settings=settings,
        hears=(Hears(CertificateCreated, partial(keep_certificates, shelf), locks=False),),
        errands=(
            Errand(
                name=POST_CERTIFICATE,
                call=poster.post_certificate,
                record=record_outcomes,
                slots=CONNECTIONS_MAX,
                call_timeout_s=CALL_S_MAX,
                lease_s=LEASE_S,
                calls_per_s_max=settings.calls_per_s_max,
                closing_hours=settings.weekly_closing_hours,
                held=tell_of_holds,
                released=tell_of_releases,
            ),
        ),
        announces=(CertificateArrived, CertificateRefused, CertificateHeld, CertificateReleased),
        on_start=(platform.open,),
        on_stop=(platform.close,),
        sealed=Sealed(keys.kids, sealed_rows),
        gauges=lambda: set_gauges(service.pool, keys),
    )
    return service
