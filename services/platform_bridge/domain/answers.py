"""What each answer of the platform means for a certificate (contracts, section 4)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

from services.platform_bridge.domain.certificate import json_object

BEFORE_CONCLUSION_MAX: Final = timedelta(minutes=5)
"""How far before `concluded_at` an arrival may lie: two clocks may disagree, but not by more."""

AHEAD_OF_US_MAX: Final = timedelta(minutes=5)
"""How far ahead of our clock an arrival may lie, for the same reason."""

RETRY_AFTER_S_MAX: Final = 3_600.0
CERTIFICATE_ID_CHARACTERS_MAX: Final = 200
DETAIL_CHARACTERS_MAX: Final = 1_000

PROBLEM_REFUSED: Final = "https://platform.example/problems/certificate-refused"
PROBLEM_KEY_REUSED: Final = "https://platform.example/problems/idempotency-key-reused"

_RFC3339: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d{0,30})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_SECONDS: Final = re.compile(r"\d{1,10}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the platform answered. `body` is None when it was cut off or too long to be read."""

    status: int
    body: bytes | None
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing reached the platform; `our_setup` when it was not its absence but something a person must mend."""

    reason: str
    our_setup: bool = False


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The request may have reached the platform, and no answer came back."""

    reason: str


Heard = Answer | NotSent | NoAnswer


@dataclass(frozen=True, slots=True)
class Arrived:
    """The platform holds the certificate since `arrived_at` (aware, UTC)."""

    arrived_at: datetime
    certificate_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform refused this version for good; the office must act."""

    problem_type: str
    detail: str


class About(StrEnum):
    """Of what a wait speaks."""

    CERTIFICATE = "certificate"
    PLATFORM_FAILS = "platform_fails"
    PLATFORM_ASKS = "platform_asks"
    """It asks that nobody comes for a while, whichever certificate it said so to."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; nothing was done. `after_s` is the platform's wish in seconds, if it has one."""

    reason: str
    after_s: float | None = None
    about: About = About.CERTIFICATE


@dataclass(frozen=True, slots=True)
class Unknown:
    """The certificate may or may not have arrived: the same bytes and the same key again."""

    reason: str


@dataclass(frozen=True, slots=True)
class OurFault:
    """Our credentials or our set-up are wrong, for every certificate."""

    reason: str


@dataclass(frozen=True, slots=True)
class OurBug:
    """What we sent was wrong; sending it again cannot help."""

    reason: str


@dataclass(frozen=True, slots=True)
class Odd:
    """The platform claims an arrival at a time that cannot be; a person must find out before anybody is told."""

    reason: str


Verdict = Arrived | Refused | Wait | Unknown | OurFault | OurBug | Odd


@dataclass(frozen=True, slots=True)
class AskFirst:
    """An earlier try may have arrived, so only the GET settles this; `standing` holds if it never arrived."""

    standing: Verdict


def judge_post(heard: Heard, *, tried_before: bool, concluded_at: datetime, now: datetime) -> Verdict | AskFirst:
    """What the answer to a POST means.

    After an earlier try a 400, 404 or 422 says nothing yet, because that try may have arrived. Every earlier try
    counts, also one that was answered: a GET too many costs a round trip, one too few costs a wrong refusal.
    """
    verdict = _judge(heard, concluded_at, now)
    if tried_before and isinstance(heard, Answer) and heard.status in (400, 404, 422):
        return AskFirst(verdict)
    return verdict


def judge_get(heard: Heard, *, standing: Verdict, concluded_at: datetime, now: datetime) -> Verdict:
    """What the answer to the GET means after a POST that could not settle it."""
    if isinstance(heard, Answer) and heard.status == 404:
        return standing
    verdict = _judge(heard, concluded_at, now)
    if isinstance(verdict, Refused | OurBug):
        # A read has nothing to refuse; whatever stands in the way, the certificate's fate is still not known.
        return Unknown(f"the GET was answered {_status(heard)}")
    return verdict


def _judge(heard: Heard, concluded_at: datetime, now: datetime) -> Verdict:
    match heard:
        case NotSent(reason, our_setup):
            return OurFault(reason) if our_setup else Wait(reason, about=About.PLATFORM_FAILS)
        case NoAnswer(reason):
            return Unknown(reason)
        case Answer(200 | 201, body):
            return _arrival(json_object(body), concluded_at, now)
        case Answer(409):
            return Wait("another try of the same key is in progress", _wish(heard, now))
        case Answer(422, body):
            return _refusal(json_object(body) or {})
        case Answer(400):
            return OurBug("the platform calls our request malformed (400)")
        case Answer(401 | 403 as status):
            return OurFault(f"the platform does not accept our credentials ({status})")
        case Answer(404):
            # A gateway answers so while what stands behind it is away.
            return Wait("the platform does not know the address we post to (404)", about=About.PLATFORM_FAILS)
        case Answer(429):
            return Wait("the platform asks us to slow down (429)", _wish(heard, now), About.PLATFORM_ASKS)
        case Answer(503) if (wish := _wish(heard, now)) is not None:
            return Wait("the platform is away (503)", wish, About.PLATFORM_ASKS)
        case _:
            return Unknown(f"an answer that settles nothing ({_status(heard)})")


def _status(heard: Heard) -> str:
    return str(heard.status) if isinstance(heard, Answer) else heard.reason


def _arrival(told: dict[str, Any] | None, concluded_at: datetime, now: datetime) -> Verdict:
    if told is None:
        return Unknown("an answer of success that cannot be read")
    raw = told.get("arrived_at")
    arrived_at = _instant(raw) if isinstance(raw, str) else None
    if arrived_at is None:
        return Odd("the platform says arrived, with " + ("no arrived_at" if raw is None else "one that is no time"))
    if concluded_at - arrived_at > BEFORE_CONCLUSION_MAX:
        return Odd(f"arrived_at {raw} lies before the conclusion at {concluded_at.isoformat()}")
    if arrived_at - now > AHEAD_OF_US_MAX:
        return Odd(f"arrived_at {raw} lies ahead of our clock at {now.isoformat()}")
    certificate_id = told.get("certificate_id")
    if not isinstance(certificate_id, str) or certificate_id != _shown(certificate_id, CERTIFICATE_ID_CHARACTERS_MAX):
        return Unknown("an answer of success without a readable certificate_id")
    return Arrived(arrived_at.astimezone(UTC), certificate_id)


def _refusal(problem: dict[str, Any]) -> Verdict:
    if problem.get("type") == PROBLEM_REFUSED:
        detail = problem.get("detail")
        return Refused(PROBLEM_REFUSED, _shown(detail, DETAIL_CHARACTERS_MAX) if isinstance(detail, str) else "")
    if problem.get("type") == PROBLEM_KEY_REUSED:
        return OurBug("the platform holds another certificate under this key (idempotency-key-reused)")
    return OurBug("a 422 of a type that the contract does not know")


def _instant(text: str) -> datetime | None:
    """Read an RFC 3339 time with any offset; digits beyond microseconds are dropped."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    day, time, fraction, offset = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}.{(fraction or '0'):0<6}{offset.upper()}")
    except ValueError:
        return None


def _wish(answer: Answer, now: datetime) -> float | None:
    """Read Retry-After, in seconds or as an HTTP date (RFC 9110, section 10.2.3); None when it says nothing."""
    text = (answer.retry_after or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_S_MAX)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), RETRY_AFTER_S_MAX)


def _shown(text: str, characters_max: int) -> str:
    """What of a foreign text can be stored and shown: no control characters, no half characters, no more than so."""
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode()[:characters_max]
