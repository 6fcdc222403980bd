"""The portal's JSON door on loopback: send samples, list answers, read guarantees."""

from collections import Counter
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any, Literal

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.portal.client import Portal
from simulators.portal.doors import Reply
from simulators.portal.samples import ACCEPTED_SHARE, Sample, samples, with_platform
from simulators.program import json_answer, problem_answer
from simulators.wire import NotConfirmed, Unroutable

SAMPLES_MAX = 10_000
LINES_DEFAULT = 1_000
BODY_BYTES_MAX = 1_048_576


class Batch(BaseModel):
    """What `POST /send` takes: how many samples of a seed go out, and which way."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 1
    count: Annotated[int, Field(ge=1, le=SAMPLES_MAX)] = 1
    over: Literal["amqp", "http"] = "amqp"
    accepted_share: Annotated[float, Field(ge=0, le=1)] = ACCEPTED_SHARE
    platform: tuple[str, ...] = ()


class PortalDoor:
    """The routes of the portal program."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [
            web.get("/samples", self.samples),
            web.post("/send", self.send),
            web.post("/applications", self.apply),
            web.post("/changes", self.change),
            web.get("/answers", self.answers),
            web.get("/applications/{id}", self.application),
            web.get("/guarantees", self.guarantees),
            web.get("/guarantees/{number}", self.guarantee),
            web.post("/guarantees/{number}/auth-key", self.reveal_key),
        ]

    async def samples(self, request: web.Request) -> web.Response:
        """Shows samples without sending them: `seed`, `count`."""
        try:
            batch = Batch.model_validate(dict(request.query), strict=False)
        except ValidationError as error:
            return problem_answer(422, str(error))
        return json_answer({"samples": [asdict(sample) for sample in self._made(batch)]})

    async def send(self, request: web.Request) -> web.Response:
        """Sends samples; tells how each way of ending counted."""
        try:
            batch = Batch.model_validate_json(await _json_body(request))
        except ValidationError as error:
            return problem_answer(422, str(error))
        endings: Counter[str] = Counter()
        ids: list[str] = []
        for sample in self._made(batch):
            ids.append(sample.application["application_id"])
            endings[await self._sent(sample.application, batch.over)] += 1
        return json_answer({"sent": endings, "application_ids": ids})

    async def apply(self, request: web.Request) -> web.Response:
        """Sends the body as an application, byte for byte; `?over=http` takes the HTTP door."""
        body = await _json_body(request)
        if request.query.get("over") == "http":
            return _passed_on(await self._portal.doors.apply(body))
        return await self._published("application", body, request.query.get("message_id"))

    async def change(self, request: web.Request) -> web.Response:
        """Sends the body as a change, byte for byte; `?over=http` takes the HTTP door."""
        body = await _json_body(request)
        if request.query.get("over") == "http":
            return _passed_on(await self._portal.doors.change(body))
        return await self._published("change", body, request.query.get("message_id"))

    async def answers(self, request: web.Request) -> web.Response:
        """The answers heard, of one `application_id` or of all; `after` counts those to leave out."""
        wanted = request.query.get("application_id")
        try:
            after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", LINES_DEFAULT))
        except ValueError:
            return problem_answer(400, "after and limit must be whole numbers.")
        book = self._portal.answers
        found = await book.of(wanted) if wanted is not None else await book.all(after, limit)
        return json_answer({"total": await book.count(), "answers": [asdict(answer) for answer in found]})

    async def application(self, request: web.Request) -> web.Response:
        """An application, read back from intake."""
        return _passed_on(await self._portal.doors.application(request.match_info["id"]))

    async def guarantees(self, request: web.Request) -> web.Response:
        """The issuer's list; the query goes on as it is."""
        return _passed_on(await self._portal.doors.guarantees(**dict(request.query)))

    async def guarantee(self, request: web.Request) -> web.Response:
        """The issuer's detail."""
        return _passed_on(await self._portal.doors.guarantee(request.match_info["number"]))

    async def reveal_key(self, request: web.Request) -> web.Response:
        """The authentication key, as the issuer reveals it."""
        await _json_body(request)
        viewer = f"{self._portal.access.portal} simulator"
        return _passed_on(await self._portal.doors.reveal_key(request.match_info["number"], viewer))

    def _made(self, batch: Batch) -> list[Sample]:
        stream = samples(self._portal.access.portal, batch.seed, accepted_share=batch.accepted_share)
        made = list(islice(stream, batch.count))
        if not batch.platform:
            return made
        return [Sample(with_platform(one.application, *batch.platform), one.faults) for one in made]

    async def _sent(self, application: dict[str, Any], over: str) -> str:
        try:
            if over == "http":
                return str((await self._portal.doors.apply(application)).status)
            await self._portal.apply(application)
        except (NotConfirmed, Unroutable, aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
        return "confirmed"

    async def _published(self, what: str, body: bytes, message_id: str | None) -> web.Response:
        publish = self._portal.apply if what == "application" else self._portal.change
        try:
            return json_answer({"message_id": await publish(body, message_id=message_id)}, status=202)
        except (NotConfirmed, Unroutable) as error:
            return problem_answer(503, str(error))


async def _json_body(request: web.Request) -> bytes:
    # A page in a browser cannot send this type to another origin unasked, so no page can send applications.
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Content-Type must be application/json.")
    return await request.read()


def _passed_on(reply: Reply) -> web.Response:
    kind = reply.headers.get("Content-Type", "application/octet-stream")
    return web.Response(status=reply.status, body=reply.body, headers={"Content-Type": kind})
