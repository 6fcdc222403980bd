"""The verdict on one application: read it, judge it by every rule, normalise it, and tell its identity."""

from dataclasses import dataclass
from typing import TypeAlias

from services.intake.domain import remarks
from services.intake.domain.amounts import fiscal_year_of_amount
from services.intake.domain.body import Unreadable, read_body
from services.intake.domain.depository import full_width
from services.intake.domain.fields import CompletionMail
from services.intake.domain.form import Application, Guarantee
from services.intake.domain.obligees import Registry
from services.intake.domain.reading import read_part
from services.intake.domain.rules import broken
from services.intake.domain.rules.application import has_electronic_line
from services.intake.domain.rules.case import Case
from services.intake.domain.terms import terms_of
from services.intake.domain.verdict import Bad, Judged, digest_of, id_of, listed
from shared.messages.intake import Terms
from shared.problems import Problem


@dataclass(frozen=True, slots=True)
class Good:
    """Every rule holds.

    Attributes:
        submitted: the form as it was read.
        application: the form as it is kept, normalised.
        remarks: what the portal is told about it.
        terms: the obligee's terms by which it was judged.
    """

    digest: str
    submitted: Application
    application: Application
    remarks: tuple[Problem, ...]
    terms: Terms


JudgedApplication: TypeAlias = Judged[Good]


def judge(body: bytes, door: str, registry: Registry) -> JudgedApplication | Unreadable:
    """The verdict on a body that came through the door of the portal `door`. Never raises, whatever the bytes are."""
    document = read_body(body)
    if isinstance(document, Unreadable):
        return document
    form, unread = read_part(Application, document.fields)
    problems = (*document.problems, *unread, *broken(Case(form, door, registry)))
    digest = None if document.problems else digest_of(document.fields)
    return Judged(
        id=id_of(document.fields.get("application_id")),
        is_for_this_door=document.fields.get("portal") == door,
        digest=digest,
        verdict=Bad(listed(problems)) if problems or digest is None else _good(form, digest, registry),
    )


def _good(form: Application, digest: str, registry: Registry) -> Good:
    contract = form.contract
    if contract.fiscal_year_amount is not None:
        contract = contract.model_copy(update={"fiscal_year": fiscal_year_of_amount(form)})
    kept = {"contract": contract, "guarantees": tuple(map(_kept, form.guarantees)), "completion_mail": _mail(form)}
    return Good(
        digest=digest,
        submitted=form,
        application=form.model_copy(update=kept),
        remarks=tuple(remarks.about(form)),
        terms=terms_of(contract, registry),
    )


def _kept(guarantee: Guarantee) -> Guarantee:
    if guarantee.depository is None:
        return guarantee
    return guarantee.model_copy(update={"depository": full_width(guarantee.depository).text})


def _mail(form: Application) -> CompletionMail:
    """Rule 9: no mail where none is wished or nothing is electronic, whatever stands in the field [F][D]."""
    mail = form.completion_mail
    return mail if mail.wanted and has_electronic_line(form) else CompletionMail(wanted=False, address=None)
