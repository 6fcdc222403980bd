"""What the notifier does: make a wished mail due, hand it to the mail server, record what became of it."""

from collections.abc import Sequence
from typing import Final, assert_never

from pydantic_core import to_json

from services.notifier.domain import replies
from services.notifier.domain.letter import Letter, is_mailable, message_id_of
from services.notifier.domain.mime import Stationery
from services.notifier.domain.replies import Refused, Taken, Verdict
from services.notifier.edge import Postbox
from shared import clock
from shared.delivery import Heard
from shared.errands import Claimed, Due, Ended, Later, OurFault, Outcome, Settled, Sign
from shared.logs import get_logger
from shared.messages.issuer import GuaranteeIssued
from shared.messages.notifier import MailRefused, MailSent
from shared.portals import Portals
from shared.work import Work

SEND_MAIL: Final = "send_mail"

logger = get_logger()


class Secretary:
    """Writes the letters that are wished, once for each fact that asks for one."""

    def __init__(self, portals: Portals, stationery: Stationery) -> None:
        self._portals = portals
        self._host = stationery.host

    async def make_mails_due(self, heard: Sequence[Heard[GuaranteeIssued]], work: Work) -> None:
        """Make a mail due for each issued version whose own wish says so."""
        due: list[Due] = []
        for one in heard:
            address = one.data.completion_mail.address
            if not one.data.completion_mail.wanted or not address:
                continue
            if one.data.portal not in self._portals:
                work.park(one.fact, "unknown_portal", f"{one.data.portal!r} is not in the portals file")
                continue
            due.append(self._due(one, address))
        work.make_due(SEND_MAIL, due)

    def _due(self, heard: Heard[GuaranteeIssued], address: str) -> Due:
        issued, occasion = heard.data, str(heard.fact.id)
        letter = Letter(
            portal=issued.portal,
            application_id=issued.application_id,
            guarantee_number=issued.guarantee_number,
            version=issued.version,
            version_kind=issued.version_kind,
            product_name=issued.product_name,
            contractor_name=issued.contractor_name,
            obligee_name=issued.obligee_name,
            project_name=issued.project_name,
            issued_at=issued.issued_at,
            address=address,
            link=self._portals.get(issued.portal).link_base + "/",
            message_id=message_id_of(issued.guarantee_number, issued.version, occasion, self._host),
        )
        return Due(
            # The same fact announced again asks for the same mail. A mail that is wished again comes as another fact.
            key=f"{letter.subject}/{occasion}",
            turn_of=issued.portal,
            payload=to_json(letter),
            correlation=heard.fact.correlation,
            traceparent=heard.fact.traceparent,
        )


class Mailer:
    """The call of the errand, with what it needs: the form of the mail and the way to the server."""

    def __init__(self, stationery: Stationery, postbox: Postbox) -> None:
        self._stationery = stationery
        self._postbox = postbox

    async def send_mail(self, row: Claimed) -> Outcome:
        """Hand one mail to the server: the same bytes in every try."""
        letter = Letter.model_validate_json(row.payload)
        if not is_mailable(letter.address):
            return Settled(Refused(replies.NO_SUCH_ADDRESS_CODE, "this is no address that mail can be sent to"))
        mail = self._stationery.fill(letter, row.created_at)
        heard = await self._postbox.send(letter.address, mail)
        verdict = replies.judge(heard, age_s=(clock.now() - row.created_at).total_seconds())
        if row.unknown_before and isinstance(verdict, Taken | replies.Unknown):
            # SMTP cannot tell whether the earlier try arrived; the Message-ID lets mailboxes see that it is one mail.
            logger.warning("mail.resent", mail_repeat_possible=1, key=row.key, message_id=letter.message_id)
        return _outcome(verdict, _sign(heard))


def _sign(heard: replies.Heard) -> Sign:
    """What the end of a conversation says about the mail server, whoever the recipient was."""
    match heard:
        case replies.Reply(_, replies.SERVICE_CLOSING_CODE) | replies.Lost(replies.Step.CONNECTION):
            # It says itself that it is closing, or there is nobody to talk to: for any mail the same.
            return Sign.WAIT
        case replies.Reply(step, code) if step < replies.Step.RECIPIENT and 400 <= code <= 499:
            return Sign.WAIT
        case replies.Lost():
            return Sign.FAILING
        case _:
            return Sign.NOTHING


def _outcome(verdict: Verdict, sign: Sign) -> Outcome:
    match verdict:
        case Taken() | Refused():
            return Settled(verdict)
        case replies.Wait(reason):
            return Later(reason, sign=sign)
        case replies.Unknown(reason):
            return Later(reason, unknown=True, sign=sign)
        case replies.OurFault(reason):
            return OurFault(reason)
    assert_never(verdict)


async def record_mails(ended: Sequence[Ended], work: Work) -> None:
    """Announce what became of each mail; the errand's row itself is the memory that it was sent."""
    for row, told in ended:
        letter = Letter.model_validate_json(row.payload)
        message = _refusal(letter, told, work) if isinstance(told, Refused) else _sending(letter, work)
        work.announce(
            message, subject=letter.subject, occurrence=letter.message_id, correlation=row.correlation, cause=row
        )


def _sending(letter: Letter, work: Work) -> MailSent:
    return MailSent(
        portal=letter.portal,
        application_id=letter.application_id,
        guarantee_number=letter.guarantee_number,
        version=letter.version,
        message_id=letter.message_id,
        sent_at=work.now,
    )


def _refusal(letter: Letter, told: Refused, work: Work) -> MailRefused:
    return MailRefused(
        portal=letter.portal,
        application_id=letter.application_id,
        guarantee_number=letter.guarantee_number,
        version=letter.version,
        message_id=letter.message_id,
        smtp_code=told.smtp_code,
        reason=told.reason,
        refused_at=work.now,
    )
