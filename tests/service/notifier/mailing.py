"""The notifier between a living issuer and the mailbox simulator: issued guarantees go in, mails come out."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address
from typing import Any

from services.notifier.app import CALL_S_MAX, CONNECTIONS_MAX, LEASE_S
from services.notifier.domain.mime import Stationery
from services.notifier.edge import Postbox, Server
from services.notifier.handlers import SEND_MAIL, Mailer, Secretary, record_mails
from shared import clock
from shared.delivery import Heard
from shared.envelope import Fact
from shared.errands import Errand
from shared.messages import Message
from shared.messages.issuer import CompletionMail, GuaranteeIssued
from shared.messages.notifier import MailRefused, MailSent
from shared.portals import Portals
from shared.service import Hears
from shared.service.running import Running
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.unit.simulators.running import Running as Simulator

SENDER = Address("電子保証", addr_spec="denshi-hosho@hosho.example")

_numbers = itertools.count(1)


def new_number() -> str:
    """A guarantee number that no other test uses."""
    return f"00001-{next(_numbers):06d}"


def issued(number: str, address: str | None, version: int = 1, *, wanted: bool = True, **changed: Any) -> Any:
    """An issued guarantee whose completion mail goes to this address."""
    given = GuaranteeIssued(
        portal="portal-a",
        application_id=f"A-{number}",
        guarantee_number=number,
        kind="advance_payment",
        version=version,
        version_kind="new",
        issued_at=clock.now(),
        completion_mail=CompletionMail(wanted=wanted, address=address),
        contractor_name="髙橋建設 株式会社",
        obligee_name="三島市長",
        project_name="市道○○線道路改良工事",
        product_name="前払金保証",
    )
    return given.model_copy(update=changed)


@dataclass
class Round:
    """Everything a test needs: it announces as the issuer, hears as the issuer, and looks into notifier and mailbox."""

    issuer: Running
    notifier: Running
    mailbox: Simulator
    heard: list[Message] = field(default_factory=list)
    traces: list[str | None] = field(default_factory=list)

    async def announce(self, *messages: GuaranteeIssued, occurrence: str = "1", cause: Fact | None = None) -> None:
        """Announce issued guarantees as the issuer, in one commit."""
        async with unit_of_work(self.issuer.desk()) as work:
            for message in messages:
                work.announce(
                    message,
                    subject=f"{message.guarantee_number}/{message.version}",
                    occurrence=occurrence,
                    correlation=f"{message.portal}/{message.application_id}",
                    cause=cause,
                )

    def words_on(self, number: str) -> list[Any]:
        """What the notifier announced about a guarantee."""
        words = [message for message in self.heard if isinstance(message, MailSent | MailRefused)]
        return [message for message in words if message.guarantee_number == number]

    async def outcome(self, number: str) -> Any:
        """Wait for the first announcement about a guarantee."""
        return (await eventually(lambda: self.words_on(number)))[0]

    def mails_to(self, address: str) -> Sequence[dict[str, Any]]:
        """What the mailbox got for this address."""
        path = f"/messages?to={address.replace('+', '%2B')}"
        mails: list[dict[str, Any]] = self.mailbox.call("GET", path).json()["messages"]
        return mails

    async def parked(self) -> int:
        """How many facts the notifier parked."""
        return int(await self.notifier.pool.fetchval("select count(*) from inbox where outcome = 'parked'"))

    async def errand(self, number: str) -> dict[str, Any]:
        """The errand of a guarantee's mail."""
        row = await self.notifier.pool.fetchrow("select * from errand where starts_with(key, $1)", number)
        return dict(row) if row is not None else {}


@asynccontextmanager
async def rounding(stack: Servers, mailbox: Simulator) -> AsyncIterator[Round]:
    """A notifier that lives between an issuer and the mailbox."""
    stationery = Stationery(SENDER)
    postbox = Postbox(Server("127.0.0.1", mailbox.facts["smtp_port"], "hosho.example", SENDER.addr_spec))
    errand = Errand(
        SEND_MAIL,
        Mailer(stationery, postbox).send_mail,
        record_mails,
        slots=CONNECTIONS_MAX,
        call_timeout_s=CALL_S_MAX,
        lease_s=LEASE_S,
    )
    words: list[Message] = []
    traces: list[str | None] = []

    async def listen(heard: Sequence[Heard[Any]], work: Work) -> None:
        words.extend(one.data for one in heard)
        traces.extend(one.fact.traceparent for one in heard)

    async with AsyncExitStack() as closing:
        closing.push_async_callback(postbox.close)
        hears = [Hears(MailSent, listen), Hears(MailRefused, listen)]
        issuer = await closing.enter_async_context(living(stack, "issuer", hears=hears))
        secretary = Secretary(Portals.load(stack.portals_file), stationery)
        table = [Hears(GuaranteeIssued, secretary.make_mails_due)]
        notifier = await closing.enter_async_context(living(stack, "notifier", hears=table, errands=[errand]))
        yield Round(issuer, notifier, mailbox, words, traces)
