"""issuer: an accepted application becomes guarantees, keys and certificates; portals and the office read here.

Hears
    intake.application_accepted: every line becomes a guarantee, concluded at once unless the core system concludes
    core.guarantee_concluded, core.guarantee_declined: the underwriting decision on one line
    platform_bridge.certificate_arrived: the platform's arrival time becomes 電子保証発行日時
    platform_bridge.certificate_refused: the platform refused a version for good
    notifier.mail_sent, notifier.mail_refused: what became of a completion mail
Announces
    issuer.certificate_created, issuer.paper_ordered, issuer.guarantee_issued,
    issuer.guarantee_status_changed
On its clock
    nothing
Owns
    application, guarantee, version, auth_key_reveal
Outside
    nothing
"""

from functools import partial

from services.issuer.handlers import conclusion, outcomes
from services.issuer.handlers.means import Means
from services.issuer.settings import Settings
from services.issuer.store import ledger
from services.issuer.web import build_web
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import CertificateCreated, GuaranteeIssued, GuaranteeStatusChanged, PaperOrdered
from shared.messages.notifier import MailRefused, MailSent
from shared.messages.platform_bridge import CertificateArrived, CertificateRefused
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
    service = Service(
        name="issuer",
        settings=settings,
        hears=(
            Hears(ApplicationAccepted, partial(conclusion.on_application_accepted, means)),
            Hears(GuaranteeConcluded, partial(conclusion.on_guarantee_concluded, means)),
            Hears(GuaranteeDeclined, partial(conclusion.on_guarantee_declined, means)),
            Hears(CertificateArrived, outcomes.on_certificate_arrived),
            Hears(CertificateRefused, outcomes.on_certificate_refused),
            Hears(MailSent, outcomes.on_mail_sent),
            Hears(MailRefused, outcomes.on_mail_refused),
        ),
        announces=(CertificateCreated, PaperOrdered, GuaranteeIssued, GuaranteeStatusChanged),
        ledger=Ledger(ledger.counts, ledger.lines),
        answered=lambda portal: portal in portals and portals.get(portal).answers == "queue",
    )
    service.web = build_web(service, portals, means.ring, means.signing.jwks())
    return service
