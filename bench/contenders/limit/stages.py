"""What the limit does at each stage: one round trip to the database for everything that waited."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json, to_json

from bench.applications import PORTAL
from bench.contenders import work
from bench.contenders.limit import rows
from bench.contenders.limit.broker import Out
from bench.contenders.limit.outside import Platform, Postbox, mail_of
from bench.contenders.work import Json

if TYPE_CHECKING:
    import asyncpg

    Pool = asyncpg.Pool[asyncpg.Record]

SERIALS_AT_ONCE: Final = 1_000


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Stages:
    """The five stages of one process."""

    def __init__(self, pool: "Pool", platform: Platform, postbox: Postbox) -> None:
        self._pool, self._platform, self._postbox = pool, platform, postbox
        self._serials: list[int] = []

    async def take_in(self, bodies: Sequence[bytes]) -> list[Out]:
        """Applications come in."""
        at = _now()
        forms: list[Json] = [from_json(body) for body in bodies]
        answers = [work.answer_data(form, at) for form in forms]
        names = [form["application_id"] for form in forms]
        await self._pool.execute(
            rows.SUBMISSIONS, PORTAL, names, ["accepted"] * len(names), names, _json(answers), list(bodies)
        )
        outs: list[Out] = []
        for name, form, answer in zip(names, forms, answers, strict=True):
            outs.append(Out(work.ACCEPTED, name, {**answer, "application": form}))
            outs.append(Out(work.ACCEPTED, name, answer, PORTAL))
        return outs

    async def create(self, accepted: Sequence[Json]) -> list[Out]:
        """Accepted applications become guarantees and certificates."""
        at = _now()
        forms = [fact["application"] for fact in accepted]
        numbers = [work.number_of(serial) for serial in await self._take_serials(len(forms))]
        certificates = {
            form["application_id"]: (number, to_json(work.certificate_of(form, number, at)).decode())
            for form, number in zip(forms, numbers, strict=True)
        }
        fresh = await self._pool.fetch(rows.GUARANTEES, PORTAL, *_guarantee_columns(forms, certificates))
        if len(fresh) < len(certificates):
            known = await self._pool.fetch(rows.KNOWN, PORTAL, list(certificates))
            certificates = {row["application_id"]: (row["guarantee_number"], row["certificate"]) for row in known}
        outs: list[Out] = []
        for form in forms:
            name = form["application_id"]
            number, certificate = certificates[name]
            outs.append(Out(work.CREATED, name, work.created_data(form, number, certificate, at)))
            told = work.status_data(name, number, work.IN_TRANSIT, at)
            outs.append(Out(work.STATUS_CHANGED, name, told, PORTAL))
        return outs

    async def post(self, created: Sequence[Json]) -> list[Out]:
        """Certificates are posted."""
        answers = [from_json(one) for one in await asyncio.gather(*map(self._post, created))]
        await self._pool.execute(
            rows.POSTED,
            [fact["guarantee_number"] for fact in created],
            [fact["certificate"].encode() for fact in created],
            [datetime.fromisoformat(answer["arrived_at"]) for answer in answers],
            [answer["certificate_id"] for answer in answers],
        )
        return [
            Out(work.ARRIVED, fact["application_id"], work.arrived_data(fact, answer))
            for fact, answer in zip(created, answers, strict=True)
        ]

    async def _post(self, fact: Json) -> bytes:
        certificate = fact["certificate"].encode()
        digest = hashlib.sha256(certificate).hexdigest()
        body = b'%s,"auth_key":"%s","content_sha256":"%s"}' % (
            certificate[:-1],
            fact["auth_key"].encode(),
            digest.encode(),
        )
        return await self._platform.post(f"{fact['guarantee_number']}/1", body)

    async def issue(self, arrived: Sequence[Json]) -> list[Out]:
        """The platform's arrival time becomes the time of issue."""
        at = _now()
        records = await self._pool.fetch(
            rows.ARRIVED,
            [fact["guarantee_number"] for fact in arrived],
            [datetime.fromisoformat(fact["arrived_at"]) for fact in arrived],
            [fact["certificate_id"] for fact in arrived],
        )
        found = {record["guarantee_number"]: dict(record) for record in records}
        outs: list[Out] = []
        for fact in arrived:
            name, number = fact["application_id"], fact["guarantee_number"]
            outs.append(Out(work.ISSUED, name, work.issued_data(fact, found[number])))
            outs.append(Out(work.ISSUED, name, work.shown_issued_data(fact), PORTAL))
            outs.append(Out(work.STATUS_CHANGED, name, work.status_data(name, number, work.ACTIVE, at), PORTAL))
        return outs

    async def mail(self, issued: Sequence[Json]) -> list[Out]:
        """Mails go out."""
        at = _now()
        addresses = [fact["completion_mail"]["address"] for fact in issued]
        await asyncio.gather(
            *(self._postbox.send(address, mail_of(fact)) for address, fact in zip(addresses, issued, strict=True))
        )
        numbers = [fact["guarantee_number"] for fact in issued]
        await self._pool.execute(rows.MAILS, numbers, addresses, list(map(work.message_id_of, numbers)))
        return [Out(work.MAIL_SENT, fact["application_id"], work.sent_data(fact, at)) for fact in issued]

    async def note_mail(self, sent: Sequence[Json]) -> list[Out]:
        """The issuer notes that a mail went out."""
        await self._pool.execute(rows.SENT, sorted(fact["guarantee_number"] for fact in sent))
        return []

    async def _take_serials(self, count: int) -> list[int]:
        if len(self._serials) < count:
            more = await self._pool.fetch(rows.SERIALS, SERIALS_AT_ONCE)
            self._serials += [row["nextval"] for row in more]
        taken, self._serials = self._serials[:count], self._serials[count:]
        return taken


def _json(values: Sequence[Any]) -> list[str]:
    return [to_json(value).decode() for value in values]


def _guarantee_columns(forms: Sequence[Json], certificates: dict[str, tuple[str, str]]) -> list[list[Any]]:
    ordered = sorted({form["application_id"]: form for form in forms}.items())
    contracts = [form["contract"] for _, form in ordered]
    lines = [form["guarantees"][0] for _, form in ordered]
    return [
        [name for name, _ in ordered],
        _json([form for _, form in ordered]),
        [certificates[name][0] for name, _ in ordered],
        [form["contractor"]["customer_number"] for _, form in ordered],
        [form["contractor"]["name"] for _, form in ordered],
        [contract["obligee_code"] for contract in contracts],
        [contract["obligee_name"] for contract in contracts],
        [contract["project_name"] for contract in contracts],
        [contract["price"] for contract in contracts],
        [line["amount"] for line in lines],
        [line["depository"] for line in lines],
        [date.fromisoformat(contract["works_until"]) for contract in contracts],
        [work.auth_key() for _ in ordered],
        [certificates[name][1] for name, _ in ordered],
        [form["completion_mail"]["address"] for _, form in ordered],
    ]
