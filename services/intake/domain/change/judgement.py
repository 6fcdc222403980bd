"""The verdict on one change: read it, judge its form by every rule, normalise it, and tell its identity."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from services.intake.domain import remarks
from services.intake.domain.body import Unreadable, read_body
from services.intake.domain.change.form import Change, VersionKind, corrected
from services.intake.domain.change.rules import ChangeCase, broken
from services.intake.domain.dates import day_in_japan
from services.intake.domain.depository import full_width
from services.intake.domain.fields import GUARANTEE_NUMBER_SHAPE, CompletionMail
from services.intake.domain.reading import read_part
from services.intake.domain.verdict import Bad, Judged, digest_of, id_of, listed
from shared.problems import Problem


@dataclass(frozen=True, slots=True)
class GoodChange:
    """Every rule on the form holds.

    Attributes:
        change: the form as it is kept, normalised, in the shape of `change.json`; `corrections` holds corrected
            fields only.
        remarks: what the portal is told about it.
    """

    digest: str
    submitted: Change
    change: dict[str, Any]
    remarks: tuple[Problem, ...]


JudgedChange: TypeAlias = Judged[GoodChange]


def judge_change(body: bytes, door: str) -> JudgedChange | Unreadable:
    """The verdict on a change that came through the door of the portal `door`. Never raises, whatever the bytes are."""
    document = read_body(body)
    if isinstance(document, Unreadable):
        return document
    form, unread = read_part(Change, document.fields)
    names = corrected(document.fields)
    problems = (*document.problems, *unread, *broken(ChangeCase(form, door, names)))
    digest = None if document.problems else digest_of(document.fields)
    number = document.fields.get("guarantee_number")
    return Judged(
        id=id_of(document.fields.get("change_id")),
        is_for_this_door=document.fields.get("portal") == door,
        digest=digest,
        verdict=Bad(listed(problems)) if problems or digest is None else _good(form, digest, names),
        guarantee_number=number if isinstance(number, str) and GUARANTEE_NUMBER_SHAPE.fullmatch(number) else None,
    )


def _good(form: Change, digest: str, names: tuple[str, ...]) -> GoodChange:
    mail = form.completion_mail if form.completion_mail.wanted else CompletionMail(wanted=False, address=None)
    kept = form.model_copy(update={"completion_mail": mail}).model_dump(mode="json")
    kept["corrections"] = {name: value for name, value in kept["corrections"].items() if name in names}
    if form.corrections.depository is not None:
        kept["corrections"]["depository"] = full_width(form.corrections.depository).text
    return GoodChange(digest, form, kept, tuple(_remarks(form)))


def _remarks(form: Change) -> Iterator[Problem]:
    sent_on = day_in_japan(form.submitted_at)
    if form.version_kind is VersionKind.CHANGE:
        yield from remarks.about_end_of_works(form.works_until, sent_on, "/works_until")
    yield from remarks.about_end_of_works(form.corrections.works_until, sent_on, "/corrections/works_until")
    yield from remarks.about_depository(form.corrections.depository, "/corrections/depository")
