"""Sends the demo's applications through both doors and watches, from outside only, what becomes of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import aiohttp

from deploy.local.demo.cases import AMQP_PORTAL, Case
from deploy.local.demo.outcome import FINAL_STATUS, Guarantee, Rejection, Seen
from deploy.local.failures import LocalFailure
from deploy.local.programs import Place, simulator
from deploy.local.screen import say
from simulators.portal.client import ACCEPTED, REJECTED, Access, Portal
from simulators.portal.doors import Doors, Reply

DONE_S_MAX: Final = 90.0
MAIL_S_MAX: Final = 20.0
LOOK_EVERY_S: Final = 0.1
OFFICE: Final = "office"
PAGE_LIMIT: Final = "100"


class DemoFailed(LocalFailure):
    """Something outside the applications themselves went wrong; the sentence behind this says what."""


@dataclass(slots=True)
class Watch:
    """When each application was sent, and when each guarantee was first seen done; monotonic seconds."""

    sent_s: dict[str, float] = field(default_factory=dict)
    done_s: dict[str, float] = field(default_factory=dict)


class Walk:
    """One demo against a running stack; use it inside `async with`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        secrets = place.stack.secrets
        intake, issuer = place.url("intake"), place.url("issuer")
        broker_url = place.stack.addresses.vhost_url(AMQP_PORTAL, place.vhost, secrets)
        tokens = secrets.portal_tokens
        self._amqp = Portal(Access(AMQP_PORTAL, broker_url, intake, issuer, tokens[AMQP_PORTAL]))
        self._doors = {name: Doors(intake, issuer, token) for name, token in tokens.items()}
        self._outside = aiohttp.ClientSession()
        self._watch = Watch()

    async def __aenter__(self) -> Self:
        """Begin to listen to the portal's answers."""
        await self._amqp.__aenter__()
        for doors in self._doors.values():
            await doors.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        for doors in self._doors.values():
            await doors.__aexit__()
        await self._amqp.__aexit__()
        await self._outside.close()

    async def go(self, cases: Sequence[Case]) -> Seen:
        """Send everything, wait until everything is done, and tell what was seen."""
        rejections = [found for found in await asyncio.gather(*map(self._send, cases)) if found is not None]
        refused = {rejection.application_id for rejection in rejections}
        accepted = [case for case in cases if case.accepted and case.application_id not in refused]
        await self._repeat(accepted)
        await self._until_done(sum(len(case.lines) for case in accepted))
        certificates, posts = await self._certificates(), await self._posts()
        wanted = sum(
            line["certificate_form"] == "electronic" for case in accepted if case.mail_wanted for line in case.lines
        )
        mails = await self._mails(wanted)
        found = [await self._guarantees_of(case, certificates, mails) for case in accepted]
        guarantees = [guarantee for several in found for guarantee in several]
        orders = await self._json(simulator("core"), "/paper-orders")
        paper = [order["order"]["guarantee_number"] for order in orders["orders"]]
        return Seen(guarantees, rejections, len(certificates), posts, mails, paper)

    async def _send(self, case: Case) -> Rejection | None:
        self._watch.sent_s[case.application_id] = time.monotonic()
        if case.portal == AMQP_PORTAL:
            await self._amqp.apply_until_received(case.application)
            answer = await self._amqp.answers.wait_for(case.application_id, ACCEPTED, REJECTED)
            data: Any = answer.data
            return Rejection(case.application_id, tuple(data["problems"])) if answer.type == REJECTED else None
        reply = await self._doors[case.portal].apply(case.application)
        if reply.status == 422:
            return Rejection(case.application_id, tuple(reply.json()["errors"]))
        _expect(reply, 202, f"POST of {case.application_id}")
        return None

    async def _repeat(self, accepted: Sequence[Case]) -> None:
        """Send one accepted application again through the other door; it must change nothing."""
        case = next(case for case in accepted if case.portal == AMQP_PORTAL)
        say(f"{case.application_id} is sent again, now over HTTP: the same content, so the same answer")
        _expect(await self._doors[case.portal].apply(case.application), 200, f"the repeat of {case.application_id}")

    async def _until_done(self, wanted: int) -> None:
        """Wait until the office sees every guarantee done, or the time is up."""
        deadline_s = time.monotonic() + DONE_S_MAX
        told = 0
        while len(self._watch.done_s) < wanted and time.monotonic() < deadline_s:
            for row in await self._pages(OFFICE):
                if row["status"] == FINAL_STATUS[row["certificate_form"]]:
                    self._watch.done_s.setdefault(row["guarantee_number"], time.monotonic())
            if len(self._watch.done_s) >= told + 5 or len(self._watch.done_s) == wanted != told:
                told = len(self._watch.done_s)
                say(f"  {told} of {wanted} guarantees are done")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _pages(self, reader: str, **query: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            reply = await self._doors[reader].guarantees(limit=PAGE_LIMIT, **query, **cursor)
            _expect(reply, 200, "the list of guarantees")
            page = reply.json()
            rows += page["items"]
            if not page.get("next_cursor"):
                return rows
            cursor = {"cursor": page["next_cursor"]}

    async def _guarantees_of(
        self, case: Case, certificates: Mapping[str, str], mails: Mapping[str, Sequence[str]]
    ) -> list[Guarantee]:
        rows = await self._pages(case.portal, application_id=case.application_id)
        return [self._guarantee(case, row, certificates, mails) for row in rows]

    def _guarantee(
        self, case: Case, row: Mapping[str, Any], certificates: Mapping[str, str], mails: Mapping[str, Sequence[str]]
    ) -> Guarantee:
        number = row["guarantee_number"]
        done_s = self._watch.done_s.get(number, time.monotonic())
        return Guarantee(
            application_id=case.application_id,
            kind=row["kind"],
            certificate_form=row["certificate_form"],
            guarantee_number=number,
            status=row["status"],
            issued_at=row["issued_at"],
            platform_arrived_at=certificates.get(number),
            mail_message_id=next(iter(mails.get(number, ())), None),
            latency_ms=round((done_s - self._watch.sent_s[case.application_id]) * 1000),
        )

    async def _certificates(self) -> dict[str, str]:
        """Guarantee number → when its first certificate arrived, as the platform remembers it."""
        token = self._place.stack.secrets.platform_token
        answer = await self._json(simulator("platform"), "/admin/certificates", token)
        return {row["key"].strip('"').partition("/")[0]: row["arrived_at"] for row in answer["certificates"]}

    async def _posts(self) -> Counter[str]:
        """Guarantee number → how many POSTs of its certificate the platform saw."""
        token = self._place.stack.secrets.platform_token
        answer = await self._json(simulator("platform"), "/admin/requests", token)
        posts = (row for row in answer["requests"] if row["method"] == "POST" and row["key"])
        return Counter(row["key"].strip('"').partition("/")[0] for row in posts)

    async def _mails(self, wanted: int) -> dict[str, list[str]]:
        """Guarantee number → Message-IDs; waits until as many mails are there as were wished for."""
        deadline_s = time.monotonic() + MAIL_S_MAX
        while True:
            messages = (await self._json(simulator("mailbox"), "/messages"))["messages"]
            if len(messages) >= wanted or time.monotonic() > deadline_s:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        found: dict[str, list[str]] = {number: [] for number in self._watch.done_s}
        for message in messages:
            for number in (number for number in found if number in message["text"]):
                found[number].append(message["message_id"])
        return found

    async def _json(self, name: str, path: str, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._outside.get(self._place.url(name) + path, headers=headers) as answer:
            if answer.status != 200:
                raise DemoFailed(f"{name} answered {answer.status} to {path}")
            return await answer.json()


def _expect(reply: Reply, status: int, what: str) -> None:
    if reply.status != status:
        raise DemoFailed(f"{what} was answered {reply.status}: {reply.body.decode(errors='replace')[:500]}")
