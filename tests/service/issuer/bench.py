"""The issuer's handlers on a real database, one fact after another, with what they announce left in the outbox."""

import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from services.issuer.domain.states import Conclusion
from services.issuer.handlers import changes, conclusion, outcomes
from services.issuer.handlers.means import Means
from shared import clock, topology
from shared.delivery import Heard
from shared.envelope import Fact, fact_id
from shared.messages import Message
from shared.messages.core import GuaranteeConcluded, GuaranteeDeclined
from shared.messages.intake import AcceptedLine, ApplicationAccepted, ChangeAccepted
from shared.messages.notifier import MailRefused, MailSent
from shared.messages.platform_bridge import (
    CertificateArrived,
    CertificateHeld,
    CertificateRefused,
    CertificateReleased,
)
from shared.work import Desk, Work, unit_of_work
from tests.unit.issuer.samples import ARRIVED_AT, form

if TYPE_CHECKING:
    from shared.postgres import Pool

ELECTRONIC, PAPER = "advance_payment", "contract_performance"


@dataclass(frozen=True, slots=True)
class Announced:
    """What the outbox holds of one announcement."""

    exchange: str
    type: str
    subject: str
    message_id: uuid.UUID
    data: dict[str, Any]


class NoHands:
    """A relay that takes nothing, so that rows stay where a test can read them."""

    def reserve(self, rows: int) -> int:
        return 0

    def give_back(self, rows: int) -> None: ...

    def take(self, rows: Sequence[Any]) -> None: ...

    async def roomy(self) -> None: ...


class Bench:
    """Facts go in as a batch of one handler; rows and announcements are there afterwards."""

    def __init__(self, pool: "Pool", sealing_keys: str, signing_key: str) -> None:
        self.pool = pool
        self._keys = (sealing_keys, signing_key)
        self.desk = Desk(
            service="issuer",
            pool=pool,
            owner_id=1,
            shout=lambda: None,
            answered=lambda portal: portal == "portal-a",
            relay=NoHands(),
            errands={},
        )

    def means(self, concludes: Conclusion = Conclusion.AUTOMATIC) -> Means:
        """The means of an issuer that concludes at once, or waits for the core system."""
        sealing_keys, signing_key = self._keys
        return Means.of(
            sealing_keys=sealing_keys,
            signing_key=signing_key,
            guarantor_name="○○建設業保証株式会社",
            conclusion=concludes,
        )

    async def hear(self, *messages: Message, concludes: Conclusion = Conclusion.AUTOMATIC) -> list[tuple[str, str]]:
        """Let the handler of these messages (all of one type) hear them; gives what was parked as (subject, code)."""
        heard = [Heard(_fact(message), message) for message in messages]
        async with unit_of_work(self.desk, "issuer.test") as work:
            await self._handler(type(messages[0]), concludes)(heard, work)
            return [(fact.subject, code) for fact, code, _ in work.parked if isinstance(fact, Fact)]

    def _handler(
        self, kind: type[Message], concludes: Conclusion
    ) -> Callable[[Sequence[Heard[Any]], Work], Awaitable[None]]:
        means = self.means(concludes)
        table: dict[type[Message], Callable[[Sequence[Heard[Any]], Work], Awaitable[None]]] = {
            ApplicationAccepted: lambda heard, work: conclusion.on_application_accepted(means, heard, work),
            ChangeAccepted: lambda heard, work: changes.on_change_accepted(means, heard, work),
            GuaranteeConcluded: lambda heard, work: conclusion.on_guarantee_concluded(means, heard, work),
            GuaranteeDeclined: lambda heard, work: conclusion.on_guarantee_declined(means, heard, work),
            CertificateArrived: outcomes.on_certificate_arrived,
            CertificateRefused: outcomes.on_certificate_refused,
            CertificateHeld: outcomes.on_certificate_held,
            CertificateReleased: outcomes.on_certificate_released,
            MailSent: outcomes.on_mail_sent,
            MailRefused: outcomes.on_mail_refused,
        }
        return table[kind]

    async def announced(self, application_id: str, noun: str, *, to_portal: bool = False) -> list[Announced]:
        """What was announced about an application, by the noun of the message, in the order of its announcement."""
        rows = await self.pool.fetch(
            "select * from outbox where correlation = $1 and type like '%.' || $2 || '.v%' order by id",
            f"portal-a/{application_id}",
            noun,
        )
        wanted = [row for row in rows if (row["exchange"] == topology.PORTALS) == to_portal]
        return [
            Announced(row["exchange"], row["type"], row["subject"], row["message_id"], _data(row["body"]))
            for row in wanted
        ]

    async def take_in(self, concludes: Conclusion = Conclusion.AUTOMATIC, **places: Any) -> tuple[str, str, str]:
        """An application taken in: its id, the number of its electronic line, the number of its paper line."""
        message = accepted(**places)
        await self.hear(message, concludes=concludes)
        numbers = await self.numbers(message.application_id)
        return message.application_id, numbers[ELECTRONIC], numbers[PAPER]

    async def issue(self, **places: Any) -> tuple[str, str, str]:
        """An application taken in whose electronic line arrived."""
        application_id, electronic, paper = await self.take_in(**places)
        await self.hear(arrived(application_id, electronic))
        return application_id, electronic, paper

    async def numbers(self, application_id: str) -> dict[str, str]:
        """The guarantee numbers of an application by kind."""
        rows = await self.pool.fetch(
            "select kind, guarantee_number from guarantee where application_id = $1", application_id
        )
        return {row["kind"]: row["guarantee_number"] for row in rows}

    async def refusals(self, change: ChangeAccepted) -> list[list[str]]:
        """The codes of each refusal that the portal was told of this change."""
        rows = await self.pool.fetch(
            "select body from outbox where subject = $1 and type like '%change_refused%' and exchange = $2 order by id",
            f"{change.portal}/{change.change_id}",
            topology.PORTALS,
        )
        return [[problem["code"] for problem in _data(row["body"])["problems"]] for row in rows]

    async def history(self, number: str) -> list[tuple[int, str, str]]:
        """The versions of a guarantee as they stand in the table: number, kind, state."""
        rows = await self.pool.fetch(
            "select version, version_kind, state from version where guarantee_number = $1 order by version", number
        )
        return [tuple(row) for row in rows]

    async def row(self, number: str) -> dict[str, Any]:
        """A guarantee with its only version, as it stands in the tables."""
        found = await self.pool.fetchrow(
            """
            select g.*, v.state as version_state, v.certificate, v.content_sha256, v.signature, v.certificate_id,
                   v.issued_at as arrived_at, v.refusal, v.mail_wanted, v.mail_state, v.mail_ordinal, v.mail_refusal
              from guarantee g left join version v using (guarantee_number) where guarantee_number = $1
            """,
            number,
        )
        assert found is not None
        return dict(found)


def accepted(portal: str = "portal-a", **places: Any) -> ApplicationAccepted:
    """An application that intake accepted, under an id of its own unless one is given."""
    application_id = str(places.setdefault("application_id", f"A-{uuid.uuid4().hex[:12]}"))
    application = form(portal=portal, **places)
    return ApplicationAccepted(
        portal=portal,
        application_id=application_id,
        accepted_at=clock.now(),
        remarks=(),
        lines=tuple(AcceptedLine.model_validate(line) for line in application["guarantees"]),
        application=application,
    )


def change(number: str, **fields: Any) -> ChangeAccepted:
    """A change that intake accepted, under an id of its own unless one is given; by default a mere 変更 of nothing."""
    form: dict[str, Any] = {
        "change_id": f"C-{uuid.uuid4().hex[:12]}",
        "portal": "portal-a",
        "submitted_at": "2026-06-01T10:00:00+09:00",
        "customer_number": "C-0045678",
        "guarantee_number": number,
        "base_version": 1,
        "version_kind": "change",
        "contract_date": None,
        "price": None,
        "fiscal_year_amount": None,
        "amount": None,
        "works_until": None,
        "corrections": {},
        "reason": None,
        "completion_mail": {"wanted": False, "address": None},
    } | fields
    return ChangeAccepted(
        portal=form["portal"],
        change_id=form["change_id"],
        guarantee_number=number,
        accepted_at=clock.now(),
        remarks=(),
        change=form,
    )


def arrived(application_id: str, number: str, **other: Any) -> CertificateArrived:
    """The platform's word that version 1 arrived."""
    told: dict[str, Any] = {"version": 1, "arrived_at": ARRIVED_AT, "certificate_id": f"c-{number}"} | other
    return CertificateArrived(portal="portal-a", application_id=application_id, guarantee_number=number, **told)


def _fact(message: Message) -> Fact:
    named = message.model_dump()
    subject = f"{named['portal']}/{named.get('application_id') or named['change_id']}"
    correlation = subject
    if "version" in named:
        subject = f"{named['guarantee_number']}/{named['version']}"
    return Fact(
        id=fact_id(message.TYPE, subject, uuid.uuid4().hex),
        type=message.TYPE,
        source="/hosho/test",
        subject=subject,
        time=clock.now().isoformat(),
        correlation=correlation,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        data=to_json(message),
    )


def _data(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    told: dict[str, Any] = json.loads(body)
    data: dict[str, Any] = told.get("data", told)
    return data
