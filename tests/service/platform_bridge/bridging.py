"""The bridge between a living issuer and the platform simulator: certificates go in, the platform's word comes out."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from json import dumps
from typing import Any

from services.platform_bridge.app import CALL_S_MAX, LEASE_S
from services.platform_bridge.edge import Platform
from services.platform_bridge.handlers import (
    POST_CERTIFICATE,
    Poster,
    Shelf,
    keep_certificates,
    record_outcomes,
    tell_of_holds,
    tell_of_releases,
)
from shared import clock
from shared.delivery import Heard
from shared.envelope import Fact
from shared.errands import Errand, Held, Telling
from shared.messages import Message
from shared.messages.issuer import CertificateCreated
from shared.messages.platform_bridge import CertificateArrived, CertificateRefused
from shared.outbox import Announcement
from shared.sealing import KeyRing
from shared.service import Hears
from shared.service.running import Running
from shared.signing import SigningKeys, canonical, content_sha256
from shared.work import Work, unit_of_work
from tests.conftest import Servers
from tests.eventually import eventually
from tests.service.living import living
from tests.unit.simulators.running import Running as Simulator

AUTH_KEY = "Z28YUE4J3Bux"
TOKEN = "platform-token"
SLOTS = 4

_numbers = itertools.count(1)


def new_number() -> str:
    """A guarantee number that no other test uses."""
    return f"00000-{next(_numbers):06d}"


def created(stack: Servers, number: str, version: int = 1, marker: str = "", **changed: Any) -> CertificateCreated:
    """A signed certificate whose project name carries a marker for the platform simulator."""
    concluded_at = clock.now()
    certificate = {
        "guarantee_number": number,
        "version": version,
        "version_kind": "new" if version == 1 else "correction",
        "kind": "advance_payment",
        "product_name": "前払金保証",
        "guarantor": "○○建設業保証株式会社",
        "contractor": {"name": "髙橋建設 株式会社", "jv_name": None},
        "obligee": {"code": "222062", "name": "三島市長"},
        "project_name": f"市道○○線道路改良工事 {marker}".strip(),
        "contract_date": "2026-01-20",
        "works_from": "2026-01-21",
        "works_until": "2026-12-25",
        "price": 50_000_000,
        "fiscal_year_amount": None,
        "amount": 20_000_000,
        "depository": "○○銀行　××支店",
        "guarantee_from": "2026-01-20",
        "guarantee_until": "2026-12-25",
        "concluded_at": concluded_at.isoformat(),
    } | changed
    signed = canonical(certificate)
    return CertificateCreated(
        portal="portal-a",
        application_id=f"A-{number}",
        guarantee_number=number,
        version=version,
        version_kind=str(certificate["version_kind"]),
        kind="advance_payment",
        concluded_at=concluded_at,
        certificate=signed.decode(),
        content_sha256=content_sha256(certificate),
        signature=SigningKeys.parse(stack.signing_key).sign(signed),
        sealed_auth_key=KeyRing.parse(stack.sealing_keys).seal(AUTH_KEY, associated=number),
    )


@dataclass
class Span:
    """Everything a test needs: it announces as the issuer, hears as the issuer, and looks into the bridge."""

    stack: Servers
    issuer: Running
    bridge: Running
    platform: Simulator
    heard: list[Message] = field(default_factory=list)
    traces: list[str | None] = field(default_factory=list)
    told: list[Announcement] = field(default_factory=list)

    @property
    def errand_told(self) -> Errand:
        """The bridge's errand, for the acts of operators."""
        return self.bridge.runners[POST_CERTIFICATE].errand

    @property
    def standing(self) -> str:
        """How the platform stands, as the bridge shows it."""
        return self.bridge.stages()[POST_CERTIFICATE]["standing"]

    async def announce(self, *messages: CertificateCreated, occurrence: str = "1", cause: Fact | None = None) -> None:
        """Announce certificates as the issuer, in one commit."""
        async with unit_of_work(self.issuer.desk()) as work:
            for message in messages:
                work.announce(
                    message,
                    subject=f"{message.guarantee_number}/{message.version}",
                    occurrence=occurrence,
                    correlation=f"{message.portal}/{message.application_id}",
                    cause=cause,
                )

    def word_on(self, number: str, version: int = 1) -> Any:
        """The one announcement about a version; None before there is any."""
        found = [
            message
            for message in self.heard
            if isinstance(message, CertificateArrived | CertificateRefused)
            and (message.guarantee_number, message.version) == (number, version)
        ]
        assert len(found) <= 1
        return found[0] if found else None

    async def outcome(self, number: str, version: int = 1) -> Any:
        """Wait for the announcement about a version."""
        return await eventually(lambda: self.word_on(number, version))

    async def kept(self, number: str, version: int = 1) -> dict[str, Any]:
        """What the bridge keeps of a version."""
        row = await self.bridge.pool.fetchrow(
            "select * from certificate_post where guarantee_number = $1 and version = $2", number, version
        )
        return dict(row) if row is not None else {}

    async def errand(self, number: str, version: int = 1) -> dict[str, Any]:
        """The errand of a version."""
        row = await self.bridge.pool.fetchrow("select * from errand where key = $1", f"{number}/{version}")
        return dict(row) if row is not None else {}

    async def is_held(self, number: str) -> bool:
        """Whether the errand of version 1 waits for a person."""
        return (await self.errand(number)).get("state") == "held"

    async def counted(self, query: str, *values: Any) -> int:
        """A number asked of the bridge's database."""
        return int(await self.bridge.pool.fetchval(query, *values))

    def requests(self, number: str, version: int = 1) -> Sequence[dict[str, Any]]:
        """What the platform noted of requests about a version, oldest first."""
        path = f"/admin/requests?key={number}/{version}"
        lines: list[dict[str, Any]] = self.platform.call("GET", path, headers=authorised()).json()["requests"]
        return lines


def switch(platform: Simulator, mode: str) -> None:
    """Let the whole platform misbehave, or be well again."""
    switched = platform.call("POST", "/admin/mode", dumps({"mode": mode}).encode(), headers=authorised())
    assert switched.status == 200


def authorised(token: str = TOKEN) -> dict[str, str]:
    """The header that opens the platform."""
    return {"Authorization": f"Bearer {token}"}


def _noting(telling: Telling, told: list[Announcement]) -> Telling:
    """The real telling; what it announces is noted, for nobody in these tests hears it."""

    async def tell(held: Sequence[Held], work: Work) -> None:
        await telling(held, work)
        told.extend(work.announcements)

    return tell


@asynccontextmanager
async def spanning(
    stack: Servers, platform: Simulator, *, token: str = TOKEN, keys: str | None = None, **more: Any
) -> AsyncIterator[Span]:
    """A bridge that lives between an issuer and the platform."""
    outside = Platform(f"http://127.0.0.1:{platform.facts['http_port']}", token)
    ring = KeyRing.parse(keys or stack.sealing_keys)
    lives: list[Running] = []
    told: list[Announcement] = []
    shelf = Shelf(lambda: lives[0].pool)
    poster = Poster(outside, ring, shelf)
    errand = Errand(
        POST_CERTIFICATE,
        poster.post_certificate,
        record_outcomes,
        slots=SLOTS,
        call_timeout_s=CALL_S_MAX,
        lease_s=LEASE_S,
        held=_noting(tell_of_holds, told),
        released=_noting(tell_of_releases, told),
        **more,
    )
    words: list[Message] = []
    traces: list[str | None] = []

    async def listen(heard: Sequence[Heard[Any]], work: Work) -> None:
        words.extend(one.data for one in heard)
        traces.extend(one.fact.traceparent for one in heard)

    async with AsyncExitStack() as closing:
        await outside.open()
        closing.push_async_callback(outside.close)
        hears = [Hears(CertificateArrived, listen), Hears(CertificateRefused, listen)]
        issuer = await closing.enter_async_context(living(stack, "issuer", hears=hears))
        table = [Hears(CertificateCreated, partial(keep_certificates, shelf), locks=False)]
        bridge = living(stack, "platform_bridge", hears=table, errands=[errand])
        lives.append(await closing.enter_async_context(bridge))
        yield Span(stack, issuer, lives[0], platform, words, traces, told)
