"""Every code that stands at the top of an HTTP answer that is no success: one list for all services.

What is wrong with something in particular is told below it, in `errors`, by the codes of each service's catalogue.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict


class Refusal(StrEnum):
    """The names. None is ever renamed: programs branch on them."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    TOO_SLOW = "too_slow"
    CONFLICT = "conflict"
    NOT_ISSUED = "not_issued"
    TOO_LARGE = "too_large"
    INVALID = "invalid"
    JSON_INVALID = "json_invalid"
    TOO_MANY_REQUESTS = "too_many_requests"
    TOO_MANY_TRIES = "too_many_tries"
    TOO_MANY_MAILS = "too_many_mails"
    INTERNAL_ERROR = "internal_error"
    UNAVAILABLE = "unavailable"
    DOOR_AWAY = "door_away"


class Meaning(NamedTuple):
    """What a refusal says.

    Attributes:
        status: the HTTP status it comes with.
        title: a short sentence, the same for every refusal of this status.
        advice: what whoever asked does now.
        only_at: the one service that gives it; None for all.
    """

    status: int
    title: str
    advice: str
    only_at: str | None = None


_STATE: Final = "The present state does not allow it"
_INPUT: Final = "What was sent is not valid"
_RATE: Final = "Too many requests for now"
_AWAY: Final = "The service is not available for now"

REFUSALS: Final[dict[Refusal, Meaning]] = {
    Refusal.BAD_REQUEST: Meaning(
        400, "The request cannot be read", "This is not HTTP as it should be, or it ended too early. Mend the program."
    ),
    Refusal.UNAUTHENTICATED: Meaning(
        401, "A valid bearer token is needed", "The token is missing or wrong. Sending again does not help."
    ),
    Refusal.FORBIDDEN: Meaning(403, "This token may not do that", "`detail` says what. Sending again does not help."),
    Refusal.NOT_FOUND: Meaning(
        404, "There is nothing here", "Not there, not there yet, or not yours: these look alike."
    ),
    Refusal.METHOD_NOT_ALLOWED: Meaning(
        405, "This address does not know the method", "`Allow` names the methods it knows."
    ),
    Refusal.NOT_ACCEPTABLE: Meaning(
        406,
        "The request was not fulfilled",
        "A certificate is served as JSON or PDF; `Accept` asks for neither.",
        "issuer",
    ),
    Refusal.TOO_SLOW: Meaning(408, "The body did not arrive in time", "Send the same again, without pauses."),
    Refusal.CONFLICT: Meaning(
        409, _STATE, "This id was accepted with other content, which stands; `errors` says which id.", "intake"
    ),
    Refusal.NOT_ISSUED: Meaning(
        409, _STATE, "No version has arrived at the platform yet; on paper none ever does.", "issuer"
    ),
    Refusal.TOO_LARGE: Meaning(413, "The body is too large", "`detail` names the limit. The connection is closed."),
    Refusal.INVALID: Meaning(422, _INPUT, "Mend what `errors` lists, all of it, and send again."),
    Refusal.JSON_INVALID: Meaning(422, _INPUT, "The body is not JSON.", "ops"),
    Refusal.TOO_MANY_REQUESTS: Meaning(429, _RATE, "Wait for `Retry-After` (seconds) and send the same again."),
    Refusal.TOO_MANY_TRIES: Meaning(
        429,
        "Too many wrong tokens for now",
        "They came from your address. Mend the token; a right one always passes.",
    ),
    Refusal.TOO_MANY_MAILS: Meaning(
        429, _RATE, "So many mails were wished for about this version that no more are sent.", "issuer"
    ),
    Refusal.INTERNAL_ERROR: Meaning(
        500,
        "Something went wrong on our side",
        "It tells nothing about what became of the request. Send the same again later.",
    ),
    Refusal.UNAVAILABLE: Meaning(503, _AWAY, "Wait for `Retry-After` (seconds) and send the same again."),
    Refusal.DOOR_AWAY: Meaning(
        503, _AWAY, "The service behind this address does not answer; `detail` says which.", "ops"
    ),
}

OF_STATUS: Final[dict[int, Refusal]] = {meaning.status: code for code, meaning in reversed(REFUSALS.items())}
"""What a status alone means: the first refusal that has it."""


class Answer(BaseModel):
    """One code that stands at the top of an answer: with which status, and what to do about it."""

    model_config = ConfigDict(frozen=True)

    code: str
    status: int
    title: str
    advice: str


def answers_of(service: str) -> tuple[Answer, ...]:
    """Those that an address of this service can answer with, to be served beside its catalogue."""
    return tuple(
        Answer(code=code, status=meaning.status, title=meaning.title, advice=meaning.advice)
        for code, meaning in given_by(service).items()
    )


def given_by(service: str) -> dict[Refusal, Meaning]:
    """Those that an address of this service can answer with."""
    return {code: meaning for code, meaning in REFUSALS.items() if meaning.only_at in (None, service)}
