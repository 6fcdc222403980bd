"""What the bridge does: keep a certificate that was created, post it when it is due, record the platform's word."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, assert_never

from services.platform_bridge import store
from services.platform_bridge.domain import answers, certificate
from services.platform_bridge.domain.answers import About, Arrived, AskFirst, Refused, Verdict
from services.platform_bridge.domain.certificate import Post
from services.platform_bridge.edge import Platform
from shared import clock, metrics, postgres
from shared.delivery import Heard
from shared.errands import Claimed, Due, Ended, Held, Hold, Later, OurFault, Outcome, Settled, Sign
from shared.logs import get_logger
from shared.messages.issuer import CertificateCreated
from shared.messages.platform_bridge import CertificateArrived, CertificateHeld, CertificateRefused, CertificateReleased
from shared.sealing import KeyRing, Unopenable, kid_of
from shared.work import Work

if TYPE_CHECKING:
    from shared.postgres import Pool

POST_CERTIFICATE: Final = "post_certificate"

FRESH_POSTS_MAX: Final = 500
"""Certificates that wait in memory for their first call; some 4 KB each. Any other is read when it is called."""

logger = get_logger()


async def keep_certificates(shelf: "Shelf", heard: Sequence[Heard[CertificateCreated]], work: Work) -> None:
    """Keep each certificate once and make its post due, after the posts of earlier versions."""
    fitting: list[tuple[Heard[CertificateCreated], Post]] = []
    for one in heard:
        post = _post_of(one.data)
        misfit = certificate.misfit_of(post)
        if misfit is None:
            fitting.append((one, post))
        else:
            work.park(one.fact, "misfitting_certificate", misfit)
    fitting.sort(key=lambda pair: (pair[1].guarantee_number, pair[1].version))
    posts = [post for _, post in fitting]
    fresh = await work.fresh(store.adding(posts), [post.key for post in posts])
    work.make_due(POST_CERTIFICATE, [_due(one, post) for one, post in fitting if post.key in fresh])
    shelf.lay([post for post in posts if post.key in fresh], work)
    if len(fresh) < len(fitting):
        kept = await store.digests(work.connection, posts)
        for one, post in fitting:
            # The same version again is a repeat; other content under its name would be a second certificate.
            if kept[post.key] != post.content_sha256:
                work.park(one.fact, "same_version_other_content", f"another certificate is kept as {post.key}")


def _post_of(created: CertificateCreated) -> Post:
    return Post(
        guarantee_number=created.guarantee_number,
        version=created.version,
        portal=created.portal,
        application_id=created.application_id,
        concluded_at=created.concluded_at,
        certificate=created.certificate.encode(),
        content_sha256=created.content_sha256,
        signature=created.signature,
        sealed_auth_key=created.sealed_auth_key,
    )


def _due(heard: Heard[CertificateCreated], post: Post) -> Due:
    # No payload: it would be a second place for the sealed key, and one that nobody erases. The call takes it from the
    # shelf instead, or reads the row by its primary key together with the calls that start at the same moment.
    return Due(
        key=post.key,
        turn_of=post.portal,
        payload=b"",
        correlation=heard.fact.correlation,
        traceparent=heard.fact.traceparent,
        order_key=post.guarantee_number,
        order_no=post.version,
    )


@dataclass(frozen=True, slots=True)
class LastWord:
    """What the platform said for good about a certificate of this application."""

    portal: str
    application_id: str
    verdict: Arrived | Refused


class Shelf:
    """Has certificates ready for calls: for the first one from memory, for later ones from the table.

    Those that are read at the same moment come in one round trip.
    """

    def __init__(self, pool: Callable[[], "Pool"]) -> None:
        self._pool = pool
        self._fresh: dict[str, tuple[Post, Work]] = {}
        self._asked: list[str] = []
        self._reading: asyncio.Task[dict[str, Post]] | None = None

    def lay(self, posts: Sequence[Post], work: Work) -> None:
        """Have these at hand as soon as this work has become true; the oldest give way."""
        self._fresh |= {post.key: (post, work) for post in posts}
        while len(self._fresh) > FRESH_POSTS_MAX:
            del self._fresh[next(iter(self._fresh))]

    async def take(self, key: str) -> Post | None:
        """What is kept under a key."""
        fresh = self._fresh.pop(key, None)
        if fresh is not None and fresh[1].committed:
            return fresh[0]
        if self._reading is None:
            self._asked = []
            self._reading = asyncio.create_task(self._read(self._asked))
        self._asked.append(key)
        # A call that is given up must not take the read away from the others.
        return (await asyncio.shield(self._reading)).get(key)

    async def _read(self, asked: Sequence[str]) -> dict[str, Post]:
        # A task begins after everything that was ready before it, so by now all who asked at once are in the list.
        self._reading = None
        return await store.load(self._pool(), asked)


class Poster:
    """The call of the errand, with what it needs: the platform, the keys and what is kept."""

    def __init__(self, platform: Platform, keys: KeyRing, shelf: Shelf) -> None:
        self._platform = platform
        self._keys = keys
        self._shelf = shelf

    async def post_certificate(self, row: Claimed) -> Outcome:
        """Post one certificate: the same bytes under the same key in every try."""
        try:
            post = await self._shelf.take(row.key)
        except postgres.FAILURES as error:
            if not postgres.is_transient(error):
                raise
            return Later(f"the certificate cannot be read: {type(error).__qualname__}")
        if post is None:
            return Hold("no certificate is kept under this key")
        if post.sealed_auth_key is None:
            return Later("another process has recorded its outcome")
        body = self._body(post, post.sealed_auth_key)
        if isinstance(body, bytes):
            return _outcome(post, await self._verdict(row, post, body))
        return body

    def _body(self, post: Post, sealed: str) -> bytes | Later | Hold:
        # One of the three places that open a key; it lives in this body only.
        try:
            if kid_of(sealed) not in self._keys.kids:
                # Only these rows wait; they go on by themselves after a restart with the key in the ring.
                metrics.KEYS_UNOPENABLE.inc()
                logger.error("key.missed", kid=kid_of(sealed), post=post.key)
                return Later("the key that sealed it is not in the ring; add it to SEALING_KEYS and restart")
            return certificate.body_of(post, self._keys.open(sealed, associated=post.guarantee_number))
        except Unopenable as error:
            metrics.KEYS_UNOPENABLE.inc()
            logger.error("key.unopenable", post=post.key, reason=str(error))
            return Hold(str(error))

    async def _verdict(self, row: Claimed, post: Post, body: bytes) -> Verdict:
        heard = await self._platform.post(post.key, body)
        # Any earlier try counts, answered or not: a gateway may have spoken for a platform that took the certificate.
        tried_before = row.unknown_before or row.attempts > 1
        concluded_at = post.concluded_at
        verdict = answers.judge_post(heard, tried_before=tried_before, concluded_at=concluded_at, now=clock.now())
        if not isinstance(verdict, AskFirst):
            return verdict
        standing, heard = verdict.standing, await self._platform.get(post.key)
        settled = answers.judge_get(heard, standing=standing, concluded_at=concluded_at, now=clock.now())
        if isinstance(settled, Arrived) and isinstance(standing, answers.OurBug):
            logger.error("post.found_arrived", post=post.key, after=standing.reason)
        return settled


_SIGNS: Final = {
    About.CERTIFICATE: Sign.NOTHING,
    About.PLATFORM_FAILS: Sign.FAILING,
    About.PLATFORM_ASKS: Sign.WAIT,
}


def _outcome(post: Post, verdict: Verdict) -> Outcome:
    match verdict:
        case Arrived() | Refused():
            return Settled(LastWord(post.portal, post.application_id, verdict))
        case answers.Wait(reason, after_s, about):
            return Later(reason, after_s, sign=_SIGNS[about])
        case answers.Unknown(reason):
            return Later(reason, unknown=True, sign=Sign.FAILING)
        case answers.OurFault(reason):
            return OurFault(reason)
        case answers.OurBug(reason) | answers.Odd(reason):
            return Hold(reason)
    assert_never(verdict)


async def sealed_rows(connection: "postgres.Connection") -> Mapping[str, Mapping[str, int]]:
    """By place and key id, how many certificates wait with their sealed key."""
    return {"certificate_post": await store.sealed(connection)}


async def set_gauges(pool: "Pool", keys: KeyRing) -> None:
    """How many certificates wait whose sealed key no key of the ring opens."""
    async with pool.acquire() as connection:
        waiting = await store.sealed(connection)
    metrics.SEALED_UNOPENABLE.set(sum(rows for kid, rows in waiting.items() if kid not in keys.kids))


async def record_outcomes(ended: Sequence[Ended], work: Work) -> None:
    """Record the platform's word and announce it; the first one stands, and the sealed key is erased with it."""
    words = [(row.key, said.verdict) for row, said in ended if isinstance(said, LastWord)]
    arrivals = [(key, word) for key, word in words if isinstance(word, Arrived)]
    refusals = [(key, word) for key, word in words if isinstance(word, Refused)]
    recorded: set[str] = set()
    if arrivals:
        recorded |= await work.fresh(store.arriving(arrivals, work.now), [key for key, _ in arrivals])
    if refusals:
        recorded |= await work.fresh(store.refusing(refusals, work.now), [key for key, _ in refusals])
    for row, said in ended:
        if row.key in recorded and isinstance(said, LastWord):
            message = _message(row.key, said, work)
            work.announce(message, subject=row.key, occurrence="outcome", correlation=row.correlation, cause=row)


def _message(key: str, said: LastWord, work: Work) -> CertificateArrived | CertificateRefused:
    number, version = certificate.named_by(key)
    if isinstance(said.verdict, Arrived):
        return CertificateArrived(
            portal=said.portal,
            application_id=said.application_id,
            guarantee_number=number,
            version=version,
            arrived_at=said.verdict.arrived_at,
            certificate_id=said.verdict.certificate_id,
        )
    return CertificateRefused(
        portal=said.portal,
        application_id=said.application_id,
        guarantee_number=number,
        version=version,
        problem_type=said.verdict.problem_type,
        detail=said.verdict.detail,
        refused_at=work.now,
    )


async def tell_of_holds(held: Sequence[Held], work: Work) -> None:
    """Announce versions that are put aside for a person. A second hold is another fact than the first."""
    whose = await store.whose(work.connection, [one.key for one in held])
    for one in held:
        if (known := whose.get(one.key)) is not None:
            told = CertificateHeld(**asdict(known), reason=one.reason, held_at=work.now)
            work.announce(
                told, subject=one.key, occurrence=f"held/{one.hold_no}", correlation=one.correlation, cause=one
            )


async def tell_of_releases(released: Sequence[Held], work: Work) -> None:
    """Announce versions that a person lets go on."""
    whose = await store.whose(work.connection, [one.key for one in released])
    for one in released:
        if (known := whose.get(one.key)) is not None:
            told = CertificateReleased(**asdict(known), released_at=work.now)
            work.announce(
                told, subject=one.key, occurrence=f"released/{one.hold_no}", correlation=one.correlation, cause=one
            )
