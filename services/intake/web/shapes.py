"""The shapes of what intake answers over HTTP. Published: fields may be added, never changed."""

from datetime import date
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from services.intake.domain.amounts import base_of, guarantee_until, ratio_percent
from services.intake.domain.catalogue import CATALOGUE, REMARKS
from services.intake.domain.decision import Outcome
from services.intake.domain.form import Application, CertificateForm, Kind
from services.intake.store import Answered
from shared.messages.intake import Terms
from shared.messages.moments import Instant
from shared.problems import Problem
from shared.refusals import Answer, answers_of


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Receipt(_Shape):
    """An application is safe and judged good."""

    application_id: str
    status_url: str
    remarks: tuple[Problem, ...]


class ChangeReceipt(_Shape):
    """A change is safe and its form judged good; what the guarantee says to it, the issuer announces."""

    change_id: str
    status_url: str
    remarks: tuple[Problem, ...]


class Line(_Shape):
    """One guarantee applied for: the ratio as the form shows it, and what it is taken of, in yen."""

    kind: Kind
    certificate_form: CertificateForm
    amount: int
    base: int
    ratio_percent: str


class Checked(_Shape):
    """An application would be accepted as it is."""

    application_id: str
    guarantee_until: date
    lines: tuple[Line, ...]
    remarks: tuple[Problem, ...]
    terms: Terms


class ChangeChecked(_Shape):
    """A change would be accepted as it is; `change` is its form as it would be kept."""

    change_id: str
    change: dict[str, Any]
    remarks: tuple[Problem, ...]


class _Entry(_Shape):
    """What all answered submissions tell."""

    portal: str
    message_id: str | None
    outcome: Outcome
    answered_at: Instant
    remarks: tuple[Problem, ...]
    problems: tuple[Problem, ...]


class Entry(_Entry):
    """One answered application in a list; `lines` is empty unless it was accepted."""

    application_id: str | None
    lines: tuple[Line, ...]


class Detail(Entry):
    """One answered application; the last three are there if it was accepted.

    `application` is the form as it is kept, `terms` the obligee's terms by which it was judged.
    """

    guarantee_until: date | None
    application: dict[str, Any] | None
    terms: Terms | None


class ChangeEntry(_Entry):
    """One answered change in a list."""

    change_id: str | None
    guarantee_number: str | None


class ChangeDetail(ChangeEntry):
    """One answered change; `change` is the form as it is kept, if it was accepted."""

    change: dict[str, Any] | None


class Page(_Shape):
    """Some answered applications, newest first; `next_cursor` leads to older ones."""

    items: tuple[Entry, ...]
    next_cursor: str | None


class ChangePage(_Shape):
    """Some answered changes, newest first; `next_cursor` leads to older ones."""

    items: tuple[ChangeEntry, ...]
    next_cursor: str | None


class CatalogueEntry(_Shape):
    """One code; words in braces are filled in when it is told.

    `pointers` are the places it is told at: JSON Pointers in which `*` is any one step; `**` alone is any place.
    """

    code: str
    is_remark: bool
    meaning: str
    message_ja: str
    message_en: str
    pointers: tuple[str, ...]


class Catalogue(_Shape):
    """Every code that intake can answer with: `answers` stand at the top, `problems` below `errors`."""

    problems: tuple[CatalogueEntry, ...]
    answers: tuple[Answer, ...]


def receipt(application_id: str, remarks: tuple[Problem, ...]) -> Receipt:
    """The receipt for an accepted application."""
    url = f"/v1/applications/{quote(application_id, safe='')}"
    return Receipt(application_id=application_id, status_url=url, remarks=remarks)


def change_receipt(change_id: str, remarks: tuple[Problem, ...]) -> ChangeReceipt:
    """The receipt for an accepted change."""
    url = f"/v1/changes/{quote(change_id, safe='')}"
    return ChangeReceipt(change_id=change_id, status_url=url, remarks=remarks)


def lines(application: Application) -> tuple[Line, ...]:
    """What follows from each line of an accepted application."""
    bases = [base_of(application.contract, line.kind) for line in application.guarantees]
    return tuple(
        Line(
            kind=line.kind,
            certificate_form=line.certificate_form,
            amount=line.amount,
            base=base,
            ratio_percent=ratio_percent(line.amount, base),
        )
        for line, base in zip(application.guarantees, bases, strict=True)
    )


def checked(application: Application, remarks: tuple[Problem, ...], terms: Terms) -> Checked:
    """What a good application would become."""
    return Checked(
        application_id=application.application_id,
        guarantee_until=guarantee_until(application),
        lines=lines(application),
        remarks=remarks,
        terms=terms,
    )


def detail(row: Answered) -> Detail:
    """One answered application as it is read."""
    told = from_json(row.answer)
    kept = told.get("application")
    form = Application.model_validate(kept) if kept else None
    return Detail(
        **_entry(row, told),
        application_id=row.id,
        lines=lines(form) if form else (),
        guarantee_until=guarantee_until(form) if form else None,
        application=kept,
        terms=told.get("terms"),
    )


def entry(row: Answered) -> Entry:
    """One answered application in a list."""
    return Entry.model_validate(detail(row).model_dump(include=set(Entry.model_fields)))


def change_detail(row: Answered) -> ChangeDetail:
    """One answered change as it is read."""
    told = from_json(row.answer)
    number, kept = told["guarantee_number"], told.get("change")
    return ChangeDetail(**_entry(row, told), change_id=row.id, guarantee_number=number, change=kept)


def change_entry(row: Answered) -> ChangeEntry:
    """One answered change in a list."""
    return ChangeEntry.model_validate(change_detail(row).model_dump(include=set(ChangeEntry.model_fields)))


def catalogue() -> Catalogue:
    """The catalogue of codes."""
    return Catalogue(
        problems=tuple(
            CatalogueEntry(
                code=code.value,
                is_remark=code in REMARKS,
                meaning=said.meaning,
                message_ja=said.ja,
                message_en=said.en,
                pointers=said.pointers,
            )
            for code, said in CATALOGUE.items()
        ),
        answers=answers_of("intake"),
    )


def _entry(row: Answered, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "portal": row.portal,
        "message_id": row.message_id,
        "outcome": row.outcome,
        "answered_at": row.answered_at,
        "remarks": told.get("remarks", ()),
        "problems": told.get("problems", ()),
    }
