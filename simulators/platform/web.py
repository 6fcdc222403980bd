"""The two routes of the contract (section 4): post a certificate, read when it arrived."""

import hmac
import sqlite3
from datetime import datetime

from aiohttp import web

from simulators import clock
from simulators.ledger import Ledger
from simulators.platform import certificate, store
from simulators.platform.answers import Answer, refusal, render, send
from simulators.platform.certificate import Malformed, Posted
from simulators.platform.keyed import KeyedDigest
from simulators.platform.magic import Script, Step, UnknownMarker, script_of
from simulators.platform.outage import Outage
from simulators.platform.signature import KeysUnavailable, SigningKeys

BODY_BYTES_MAX = 262_144
KEYS_RETRY_AFTER_S = 2


class Bearer:
    """Tells whether a request carries a token of the platform; two are valid while one is being changed."""

    def __init__(self, *tokens: str) -> None:
        self._expected = [b"Bearer " + token.encode() for token in tokens]

    def admits(self, request: web.Request) -> bool:
        """Whether the token is right, compared in constant time."""
        given = request.headers.get("Authorization", "")
        presented = given.encode("utf-8", "surrogateescape")
        # All are compared, so that the time tells nothing about which of them it was.
        return sum(hmac.compare_digest(presented, expected) for expected in self._expected) > 0


class CertificatesDoor:
    """Takes certificates in and tells when they arrived."""

    def __init__(
        self, ledger: Ledger, keyed: KeyedDigest, bearer: Bearer, outage: Outage, keys: SigningKeys | None
    ) -> None:
        self._ledger = ledger
        self._keyed = keyed
        self._bearer = bearer
        self._outage = outage
        self._keys = keys
        self._in_progress: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        """The routes of this door."""
        return [
            web.post("/v1/certificates", self.post),
            web.get("/v1/certificates/{number}/{version}", self.get),
        ]

    async def post(self, request: web.Request) -> web.StreamResponse:
        """201 the first time, 200 with the same `arrived_at` for a repeat, or a problem."""
        at = clock.now()
        header = request.headers.get("Idempotency-Key")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            answer = refusal("malformed", 400, f"The body is larger than {BODY_BYTES_MAX} bytes.")
            return await self._turn_away(request, answer, header, b"")
        early = self._outage.answer(at)
        if early is not None:
            return await self._turn_away(request, early, header, body, f"mode:{self._outage.present().mode}")
        if not self._bearer.admits(request):
            return await self._turn_away(request, _unauthorised(), header, body)
        try:
            posted, script = await self._read(request, body)
        except Malformed as error:
            return await self._turn_away(request, refusal("malformed", 400, str(error)), header, body)
        except KeysUnavailable as error:
            answer = refusal("keys_unavailable", 503, str(error), Retry_After=str(KEYS_RETRY_AFTER_S))
            return await self._turn_away(request, answer, header, body)
        if posted.key in self._in_progress:
            answer = refusal("in_progress", 409, "Another try of this key is in progress.")
            return await self._turn_away(request, answer, posted.key, body)
        self._in_progress.add(posted.key)
        try:
            return await send(request, await self._judged(posted, script, body, at))
        finally:
            self._in_progress.discard(posted.key)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """200 as for a repeat, or 404 when it never arrived."""
        at = clock.now()
        key = f"{request.match_info['number']}/{request.match_info['version']}"
        early = self._outage.answer(at)
        if early is not None:
            return await self._turn_away(request, early, key, b"", f"mode:{self._outage.present().mode}")
        if not self._bearer.admits(request):
            return await self._turn_away(request, _unauthorised(), key, b"")

        def job(connection: sqlite3.Connection) -> Answer:
            verdict, try_no = store.judge_get(connection, key, script_of)
            answer = render(verdict, at)
            marker = _marker(verdict.step)
            noted = store.Noted(at, "GET", key, answer.name, answer.sent_status, try_no=try_no, misbehaviour=marker)
            store.note(connection, noted)
            return answer

        return await send(request, await self._ledger.do(job))

    async def _read(self, request: web.Request, body: bytes) -> tuple[Posted, Script]:
        key = certificate.idempotency_key(request.headers.get("Idempotency-Key"))
        if request.content_type != "application/json":
            raise Malformed("The body must be application/json.")
        posted = certificate.read(body)
        if posted.key != key:
            raise Malformed("Idempotency-Key must be <guarantee_number>/<version> of the certificate.")
        try:
            script = script_of(posted.certificate.project_name)
        except UnknownMarker as error:
            raise Malformed(str(error)) from error
        if self._keys is not None and not await self._keys.verify(posted.signed, posted.certificate.signature):
            raise Malformed("The signature is not by a published key over this certificate.")
        return posted, script

    async def _judged(self, posted: Posted, script: Script, body: bytes, at: datetime) -> Answer:
        given = posted.certificate
        post = store.Submission(
            key=posted.key,
            guarantee_number=given.guarantee_number,
            version=given.version,
            project_name=given.project_name,
            content_sha256=given.content_sha256,
            kept=posted.kept,
            auth_key_digest=self._keyed.of_auth_key(given.guarantee_number, given.auth_key),
            body_digest=self._keyed.of_body(body),
            at=at,
        )

        def job(connection: sqlite3.Connection) -> Answer:
            verdict, try_no = store.judge_post(connection, post, script)
            answer = render(verdict, at)
            noted = store.Noted(
                at,
                "POST",
                post.key,
                answer.name,
                answer.sent_status,
                post.content_sha256,
                post.body_digest,
                try_no,
                _marker(verdict.step),
            )
            store.note(connection, noted)
            return answer

        return await self._ledger.do(job)

    async def _turn_away(
        self, request: web.Request, answer: Answer, key: str | None, body: bytes, misbehaviour: str | None = None
    ) -> web.StreamResponse:
        shown = key.strip(' "') if key is not None else None
        digest = self._keyed.of_body(body) if body else None
        noted = store.Noted(
            clock.now(),
            request.method,
            shown,
            answer.name,
            answer.sent_status,
            body_digest=digest,
            misbehaviour=misbehaviour,
        )
        await self._ledger.do(lambda connection: store.note(connection, noted))
        return await send(request, answer)


def _unauthorised() -> Answer:
    return refusal("unauthorised", 401, "The bearer token is missing or wrong.", WWW_Authenticate="Bearer")


def _marker(step: Step | None) -> str | None:
    return None if step is None else step.marker
