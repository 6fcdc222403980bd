"""issuer: an accepted application becomes guarantees, keys and certificates; portals and the office read here.

Hears
    intake.application_accepted: every line becomes a guarantee, concluded at once unless the core system concludes
    intake.change_accepted: becomes the next version of its guarantee, or is refused with every reason
    core.guarantee_concluded, core.guarantee_declined: the underwriting decision on one line
    platform_bridge.certificate_arrived: the platform's arrival time becomes 電子保証発行日時
    platform_bridge.certificate_refused: the platform refused a version for good
    platform_bridge.certificate_held, platform_bridge.certificate_released: a version waits for a person, or no longer
    notifier.mail_sent, notifier.mail_refused: what became of a completion mail
Announces
    issuer.certificate_created, issuer.paper_ordered, issuer.guarantee_issued,
    issuer.guarantee_status_changed, issuer.change_refused
On its clock
    nothing due; but every half minute it seals again what another key than the first of its ring sealed
Owns
    application, guarantee, version, change, auth_key_reveal
Outside
    nothing
"""

from functools import partial

from services.issuer.handlers import changes, conclusion, outcomes
from services.issuer.handlers.means import Means
from services.issuer.handlers.resealing import Resealer
from services.issuer.papers.press import Press
from services.issuer.settings import Settings
from services.issuer.store import ledger, sealed
from services.issuer.web import Printer, build_web
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import ApplicationAccepted, ChangeAccepted
from shared.messages.issuer import (
    CertificateCreated,
    ChangeRefused,
    GuaranteeIssued,
    GuaranteeStatusChanged,
    PaperOrdered,
)
from shared.messages.notifier import MailRefused, MailSent
from shared.messages.platform_bridge import (
    CertificateArrived,
    CertificateHeld,
    CertificateRefused,
    CertificateReleased,
)
from shared.operator_door.keys import Sealed
from shared.operator_door.ledger import Ledger
from shared.portals import Portals
from shared.service import Hears, Service


def build_app() -> Service:
    """The service and its table of what it hears."""
    settings = Settings()
    portals = Portals.load(settings.portals_file)
    means = Means.of(
        sealing_keys=settings.sealing_keys.get_secret_value(),
        signing_key=settings.signing_key.get_secret_value(),
        guarantor_name=settings.guarantor_name,
        conclusion=settings.conclusion,
    )
    press = Press()
    service = Service(
        name="issuer",
        settings=settings,
        hears=(
            Hears(ApplicationAccepted, partial(conclusion.on_application_accepted, means), locks=False),
            Hears(ChangeAccepted, partial(changes.on_change_accepted, means)),
            Hears(GuaranteeConcluded, partial(conclusion.on_guarantee_concluded, means)),
            Hears(GuaranteeDeclined, partial(conclusion.on_guarantee_declined, means)),
            Hears(CertificateArrived, outcomes.on_certificate_arrived),
            Hears(CertificateRefused, outcomes.on_certificate_refused),
            Hears(CertificateHeld, outcomes.on_certificate_held),
            Hears(CertificateReleased, outcomes.on_certificate_released),
            Hears(MailSent, outcomes.on_mail_sent),
            Hears(MailRefused, outcomes.on_mail_refused),
        ),
        announces=(CertificateCreated, PaperOrdered, GuaranteeIssued, GuaranteeStatusChanged, ChangeRefused),
        ledger=Ledger(ledger.counts, ledger.lines),
        answered=lambda portal: portal in portals and portals.get(portal).answers == "queue",
        on_stop=(press.close,),
        sealed=Sealed(means.ring.kids, sealed.counts),
    )
    resealer = Resealer(means.ring)
    service.lives = (partial(resealer.run, service),)
    service.gauges = partial(resealer.set_gauges, service)
    page = None if settings.platform_page is None else str(settings.platform_page)
    service.web = build_web(service, portals, means.ring, means.signing.jwks(), Printer(press, page))
    return service
