"""The verdict on one body: read it, judge it by every rule, normalise it, and tell its identity.

Identity is (portal, application_id, digest of the content); `submitted_at` and the order of keys do not count
(domain rule 11). What is unsound in its JSON has no digest: it is never the repeat of anything.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from services.intake.domain.amounts import fiscal_year_of_amount
from services.intake.domain.body import Unreadable, read_body
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.depository import SIGN_CHANGES, Change, full_width
from services.intake.domain.form import Application, ApplicationId, CompletionMail, Guarantee
from services.intake.domain.obligees import Registry
from services.intake.domain.reading import read_form
from services.intake.domain.rules import broken
from services.intake.domain.rules.application import has_electronic_line
from services.intake.domain.rules.case import Case
from shared.problems import Problem

PROBLEMS_MAX = 100
"""More are counted, not listed, so that an answer always fits into one message."""

_CHANGE_WORDS: Final = {
    Change.SPACE: ("空白", "space"),
    Change.LETTER: ("英字", "letters"),
    Change.DIGIT: ("数字", "digits"),
    Change.KANA: ("カナ", "kana"),
    Change.WAVE_DASH: ("波ダッシュ(〜)", "wave dash"),
    Change.MINUS_SIGN: ("マイナス記号(−)", "minus sign"),
}
_ONE_OF_A_KIND: Final = frozenset({Change.SPACE, Change.WAVE_DASH, Change.MINUS_SIGN})
_APPLICATION_ID: Final = TypeAdapter[str](ApplicationId)


@dataclass(frozen=True, slots=True)
class Good:
    """Every rule holds: the content's digest, the form as read and as kept, and what the portal is told about it."""

    digest: str
    submitted: Application
    application: Application
    remarks: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """Refused, with all reasons at once."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A body that could be read.

    Attributes:
        application_id: what it calls itself, None if that cannot be read.
        is_for_this_door: whether its portal is the one it came through; else it has no identity here.
        digest: SHA-256 of the content in hex, None if the JSON is unsound.
        verdict: what the rules say.
    """

    application_id: str | None
    is_for_this_door: bool
    digest: str | None
    verdict: Good | Bad


def judge(body: bytes, door: str, registry: Registry) -> Judged | Unreadable:
    """The verdict on a body that came through the door of the portal `door`. Never raises, whatever the bytes are."""
    document = read_body(body)
    if isinstance(document, Unreadable):
        return document
    reading = read_form(document.fields)
    case = Case(reading.form, door, registry)
    problems = (*document.problems, *reading.problems, *broken(case))
    digest = None if document.problems else digest_of(document.fields)
    return Judged(
        application_id=_application_id(document.fields),
        is_for_this_door=document.fields.get("portal") == door,
        digest=digest,
        verdict=Bad(_listed(problems)) if problems or digest is None else _good(reading.form, digest),
    )


def digest_of(fields: dict[str, object]) -> str:
    """SHA-256 over the sent object as canonical JSON, in hex: keys sorted, no spaces, without `submitted_at`."""
    content = {name: value for name, value in fields.items() if name != "submitted_at"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _application_id(fields: dict[str, object]) -> str | None:
    try:
        return _APPLICATION_ID.validate_python(fields.get("application_id"), strict=True)
    except ValidationError:
        return None


def _listed(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    if len(problems) <= PROBLEMS_MAX:
        return tuple(problems)
    more = len(problems) - PROBLEMS_MAX
    return (*problems[:PROBLEMS_MAX], problem(Code.TOO_MANY_PROBLEMS, "", count=more))


def _good(form: Application, digest: str) -> Good:
    remarks: list[Problem] = []
    guarantees = tuple(
        _normalised_line(guarantee, f"/guarantees/{index}", remarks) for index, guarantee in enumerate(form.guarantees)
    )
    contract = form.contract
    if contract.fiscal_year_amount is not None:
        contract = contract.model_copy(update={"fiscal_year": fiscal_year_of_amount(form)})
    application = form.model_copy(
        update={"contract": contract, "guarantees": guarantees, "completion_mail": _mail(form, remarks)}
    )
    return Good(digest, form, application, tuple(remarks))


def _normalised_line(guarantee: Guarantee, pointer: str, remarks: list[Problem]) -> Guarantee:
    if guarantee.depository is None:
        return guarantee
    depository = full_width(guarantee.depository)
    widened = [change for change in depository.changes if change not in SIGN_CHANGES]
    replaced = [change for change in depository.changes if change in SIGN_CHANGES]
    for code, changes in ((Code.DEPOSITORY_NORMALISED, widened), (Code.DEPOSITORY_SIGN_REPLACED, replaced)):
        if changes:
            remarks.append(_changed(code, f"{pointer}/depository", changes))
    return guarantee.model_copy(update={"depository": depository.text})


def _changed(code: Code, pointer: str, changes: Sequence[Change]) -> Problem:
    words = [_CHANGE_WORDS[change] for change in changes]
    is_one = len(changes) == 1 and changes[0] in _ONE_OF_A_KIND
    return problem(
        code,
        pointer,
        changed_ja="・".join(ja for ja, _ in words),
        changed_en=" and ".join(en for _, en in words),
        was="was" if is_one else "were",
    )


def _mail(form: Application, remarks: list[Problem]) -> CompletionMail:
    """Rule 9: no mail where none is wished or nothing is electronic, whatever stands in the field [F][D]."""
    mail = form.completion_mail
    if mail.wanted and has_electronic_line(form):
        return mail
    if mail.wanted:
        remarks.append(problem(Code.NO_MAIL_FOR_PAPER, "/completion_mail/wanted"))
    return CompletionMail(wanted=False, address=None)
