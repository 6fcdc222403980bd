"""The shapes of what intake answers over HTTP. Published: fields may be added, never changed."""

from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from services.intake.domain.amounts import base_of, guarantee_until, ratio_percent
from services.intake.domain.catalogue import CATALOGUE
from services.intake.domain.decision import Outcome
from services.intake.domain.form import Application, CertificateForm, Kind
from services.intake.store import Answered
from shared.problems import Problem


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Receipt(_Shape):
    """An application is safe and judged good."""

    application_id: str
    status_url: str
    remarks: tuple[Problem, ...]


class CheckedLine(_Shape):
    """What follows from one line: the ratio as the form shows it, and what it is taken of, in yen."""

    kind: Kind
    certificate_form: CertificateForm
    amount: int
    base: int
    ratio_percent: str


class Checked(_Shape):
    """An application would be accepted as it is."""

    application_id: str
    guarantee_until: date
    lines: tuple[CheckedLine, ...]
    remarks: tuple[Problem, ...]


class Line(_Shape):
    """One guarantee applied for."""

    kind: Kind
    certificate_form: CertificateForm


class Entry(_Shape):
    """One answered application in a list."""

    portal: str
    application_id: str | None
    outcome: Outcome
    answered_at: datetime
    lines: tuple[Line, ...]
    remarks: tuple[Problem, ...]
    problems: tuple[Problem, ...]


class Detail(Entry):
    """One answered application; `application` is the form as it is kept, if it was accepted."""

    application: dict[str, Any] | None


class Page(_Shape):
    """Some answered applications, newest first; `next_cursor` leads to older ones."""

    items: tuple[Entry, ...]
    next_cursor: str | None


class CatalogueEntry(_Shape):
    """One code; words in braces are filled in when the problem is told."""

    code: str
    message_ja: str
    message_en: str


class Catalogue(_Shape):
    """Every code that intake can answer with."""

    problems: tuple[CatalogueEntry, ...]


def receipt(application_id: str, remarks: tuple[Problem, ...]) -> Receipt:
    """The receipt for an accepted application."""
    url = f"/v1/applications/{quote(application_id, safe='')}"
    return Receipt(application_id=application_id, status_url=url, remarks=remarks)


def checked(application: Application, remarks: tuple[Problem, ...]) -> Checked:
    """What a good application would become."""
    return Checked(
        application_id=application.application_id,
        guarantee_until=guarantee_until(application),
        lines=tuple(
            CheckedLine(
                kind=line.kind,
                certificate_form=line.certificate_form,
                amount=line.amount,
                base=base,
                ratio_percent=ratio_percent(line.amount, base),
            )
            for line in application.guarantees
            for base in [base_of(application.contract, line.kind)]
        ),
        remarks=remarks,
    )


def detail(row: Answered) -> Detail:
    """One answered application as it is read."""
    told = from_json(row.answer)
    return Detail(
        portal=row.portal,
        application_id=row.application_id,
        outcome=row.outcome,
        answered_at=row.answered_at,
        lines=told.get("lines", ()),
        remarks=told.get("remarks", ()),
        problems=told.get("problems", ()),
        application=told.get("application"),
    )


def entry(row: Answered) -> Entry:
    """One answered application in a list."""
    return Entry.model_validate(detail(row).model_dump(exclude={"application"}))


def catalogue() -> Catalogue:
    """The catalogue of codes."""
    rows = CATALOGUE.items()
    return Catalogue(
        problems=tuple(CatalogueEntry(code=code, message_ja=said.ja, message_en=said.en) for code, said in rows)
    )
