"""notifier: tells the contractor by mail that an electronic guarantee is issued, if that was wished.

Hears
    issuer.guarantee_issued: a version arrived at the platform; with it the wish, the address and what the mail says
Announces
    notifier.mail_sent, notifier.mail_refused
On its clock
    send_mail: due mails, again with the same bytes until the mail server has taken or refused them
Owns
    nothing
Outside
    the mail server: SMTP
"""

from typing import Final

from services.notifier.domain.mime import Stationery
from services.notifier.edge import Postbox, Server
from services.notifier.handlers import SEND_MAIL, Mailer, Secretary, record_mails
from services.notifier.settings import Settings
from shared.errands import Errand
from shared.messages.issuer import GuaranteeIssued
from shared.messages.notifier import MailRefused, MailSent
from shared.portals import Portals
from shared.service import Hears, Service

CONNECTIONS_MAX: Final = 8
CALL_S_MAX: Final = 130.0
"""One conversation, after one on a kept connection that had gone stale; their own time-outs stand in the edge."""

LEASE_S: Final = 150.0


def build_app() -> Service:
    """The service, its table of what it hears, and its one errand."""
    settings = Settings()
    stationery = Stationery(settings.sender)
    postbox = Postbox(_server(settings, stationery.host))
    secretary = Secretary(Portals.load(settings.portals_file), stationery)
    return Service(
        name="notifier",
        settings=settings,
        hears=(Hears(GuaranteeIssued, secretary.make_mails_due, locks=False),),
        errands=(
            Errand(
                name=SEND_MAIL,
                call=Mailer(stationery, postbox).send_mail,
                record=record_mails,
                slots=CONNECTIONS_MAX,
                call_timeout_s=CALL_S_MAX,
                lease_s=LEASE_S,
                calls_per_s_max=settings.calls_per_s_max,
            ),
        ),
        announces=(MailSent, MailRefused),
        on_stop=(postbox.close,),
    )


def _server(settings: Settings, local_host: str) -> Server:
    password = settings.smtp_password
    return Server(
        host=settings.smtp_host,
        port=settings.smtp_port,
        local_host=local_host,
        sender=settings.envelope_sender,
        username=settings.smtp_username,
        password=None if password is None else password.get_secret_value(),
    )
