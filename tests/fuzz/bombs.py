"""Bodies that are bombs, through both doors of intake: over HTTP, and over AMQP with hostile properties besides."""

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import product
from typing import Any, Final

import aio_pika
import aiohttp
from aio_pika.abc import DeliveryMode

from services.intake.domain.catalogue import CATALOGUE
from simulators import wire
from simulators.portal.answers import Answer
from simulators.portal.client import REJECTED, Portal
from simulators.portal.samples import example
from tests.e2e.conftest import PORTAL, System
from tests.fuzz.hostile import TEXTS, bombs
from tests.fuzz.tally import Surface, Tally

CODES: Final = frozenset(map(str, CATALOGUE))
DESCRIBED: Final = (200, 202, 409, 413, 422, 429)
PATHS: Final = ("/v1/applications", "/v1/applications/check", "/v1/changes", "/v1/changes/check")
ENCODINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "plain": {},
    "said to be compressed": {"Content-Encoding": "gzip"},
    "said to be twice compressed": {"Content-Encoding": "gzip, deflate, br"},
}
UUID_CHARS: Final = 36
ANSWERED_WITHIN_S: Final = 60.0


class Unwritable(str):
    """A text that goes out as bytes which are no UTF-8, as a broker hands them on without a look."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        """What no library would write."""
        return b"\xff\xfe" + super().encode(encoding, errors)


async def over_http(system: System, tally: Tally, surface: Surface) -> None:
    """Every bomb at every route that takes a body, with every encoding it may be said to have."""
    headers = {"Authorization": f"Bearer {system.servers.token(PORTAL)}", "Content-Type": "application/json"}
    every = product(bombs(example(PORTAL, "BOMB-HTTP")).items(), PATHS, ENCODINGS.items())
    for (name, body), path, (said, encoding) in tally.some(every):
        shown = f"{name}, {said}, at {path}"
        surface.inputs += 1
        url = system.place.url("intake") + path
        try:
            async with system.http.post(url, data=body, headers={**headers, **encoding}) as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError) as error:
            surface.crashed(f"{shown}: {type(error).__name__}")
            continue
        _judge(surface, shown, answer.status, told)


def _judge(surface: Surface, shown: str, status: int, told: Mapping[str, Any]) -> None:
    codes = {one["code"] for one in told.get("errors", ())}
    if status >= 500:
        surface.crashed(f"{shown}: {status}")
    elif status not in DESCRIBED or not codes <= CODES or (status == 422 and not codes):
        surface.unknown(f"{shown}: {status} {sorted(codes)}")
    else:
        surface.ended(f"{status} {min(codes, default='')}".strip())


def messages() -> Iterator[tuple[str, aio_pika.Message]]:
    """Bombs, and good bodies under hostile properties; each has an id by which its answer is found, if it can."""
    for number, (name, body) in enumerate(bombs(example(PORTAL, "BOMB-AMQP")).items()):
        # What is too large for a message at all, the broker may refuse by itself.
        for encoding in (None, "gzip"):
            yield name, _message(body, f"bomb-{number}-{encoding}-{uuid.uuid4()}", content_encoding=encoding)
    for name, text in TEXTS.items():
        short = text[:60].encode("utf-8", "ignore").decode()
        yield f"message_id {name}", _message(b"{}", f"{short}{uuid.uuid4()}")
        yield f"content_type {name}", _message(b"{}", f"type-{uuid.uuid4()}", content_type=short)
        yield f"headers {name}", _message(b"{}", f"header-{uuid.uuid4()}", headers={"traceparent": short, short: short})
    yield "content_type that is no text", _message(b"{}", f"type-{uuid.uuid4()}", content_type=Unwritable("json"))
    yield "message_id that is no text", _message(b"{}", Unwritable(f"id-{uuid.uuid4()}"))


def _message(body: bytes, message_id: str, **given: Any) -> aio_pika.Message:
    properties = {"content_type": "application/json", **given}
    return aio_pika.Message(body, message_id=message_id, delivery_mode=DeliveryMode.PERSISTENT, **properties)


async def over_amqp(portal: Portal, surface: Surface) -> None:
    """Send them all as a portal: each is answered as rejected, or the broker itself did not take it."""
    taken: set[str] = set()
    for _, message in messages():
        surface.inputs += 1
        try:
            await portal._sender.send(message, f"application.submitted.{portal.access.portal}")
        except wire.NotConfirmed:
            surface.ended("refused by the broker")
        else:
            taken.add(_mark(message.message_id))
    told: list[Answer] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while len(told) < len(taken):
                heard = portal.answers.heard
                told = [one for one in await portal.answers.all() if one.type == REJECTED and _message_id(one) in taken]
                if len(told) < len(taken):
                    await portal.answers.news(heard)
    if len(told) != len(taken):
        surface.unknown(f"{len(taken)} were taken by the broker, {len(told)} answered")
    for answer in told:
        assert isinstance(answer.data, dict)
        codes = {one["code"] for one in answer.data["problems"]}
        if codes and codes <= CODES:
            surface.ended(f"rejected: {min(codes)}")
        else:
            surface.unknown(f"codes in no catalogue: {sorted(codes)}")


def _message_id(answer: Answer) -> str:
    # Refusals over HTTP come to the portal's queue too, and have no message id.
    return _mark(str(answer.data.get("message_id"))) if isinstance(answer.data, dict) else ""


def _mark(message_id: str | None) -> str:
    """The part of a message id that comes back as it was, whatever stands before it."""
    return (message_id or "")[-UUID_CHARS:]
