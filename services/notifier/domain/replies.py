"""What a mail server's answer means (RFC 5321, sections 4.2 and 4.5.4.1)."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

GIVE_UP_AGE_S_MIN: Final = 5 * 24 * 3_600.0
"""A recipient that is refused "for now" for so long is refused; RFC 5321 asks for four to five days of trying."""

REASON_CHARACTERS_MAX: Final = 300

NO_SUCH_ADDRESS_CODE: Final = 553
"""What a server would say to an address that cannot be one: mailbox name not allowed."""

SERVICE_CLOSING_CODE: Final = 421

_LOGIN_CODES: Final = frozenset({530, 534, 535, 538})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class Step(IntEnum):
    """How far the conversation had come."""

    CONNECTION = 1
    SENDER = 2
    RECIPIENT = 3
    DATA = 4
    DOT = 5
    """The whole mail and its final dot are on their way."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said last."""

    step: Step
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection broke, stalled or could not be made."""

    step: Step
    reason: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """This server cannot be used the way it is set up."""

    reason: str


Heard = Reply | Lost | Unusable


@dataclass(frozen=True, slots=True)
class Taken:
    """The server has the mail and answers for it from now on."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server will never take this mail for this recipient."""

    smtp_code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now; the server does not have the mail."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The server may have the mail: nobody can tell whether the final dot was heard."""

    reason: str


@dataclass(frozen=True, slots=True)
class OurFault:
    """The server refuses us, whoever the recipient is."""

    reason: str


Verdict = Taken | Refused | Wait | Unknown | OurFault


def judge(heard: Heard, *, age_s: float) -> Verdict:
    """What the end of a conversation means for a mail that has been waiting for `age_s` seconds."""
    match heard:
        case Unusable(reason):
            return OurFault(reason)
        case Lost(Step.DOT, reason):
            return Unknown(f"{reason} after the final dot")
        case Lost(step, reason):
            return Wait(f"{reason} ({step.name.lower()})")
        case Reply(step, code, text):
            return _judge_reply(step, code, f"{code} {_shown(text)}".strip(), age_s)


def _judge_reply(step: Step, code: int, said: str, age_s: float) -> Verdict:
    about_recipient = step >= Step.RECIPIENT
    if code in _LOGIN_CODES:
        return OurFault(f"the mail server wants another login: {said}")
    if 500 <= code <= 599:
        # Until the recipient is named every mail begins alike, so a refusal there is about us.
        return Refused(code, said) if about_recipient else OurFault(f"the mail server refuses us: {said}")
    if 400 <= code <= 499:
        given_up = about_recipient and code != SERVICE_CLOSING_CODE and age_s >= GIVE_UP_AGE_S_MIN
        return Refused(code, f"given up after days of {said}") if given_up else Wait(said)
    if step is Step.DOT:
        return Taken() if 200 <= code <= 299 else Unknown(f"an answer that settles nothing: {said}")
    return Wait(f"an answer out of place: {said}")


def _shown(text: str) -> str:
    """What of a server's text can be stored and shown."""
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode()[:REASON_CHARACTERS_MAX]
