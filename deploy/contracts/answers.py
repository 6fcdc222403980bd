"""Examples of what portals are answered over HTTP, made by the shapes and the refusals that the services use."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import from_json

from deploy.contracts.story import APPLICATION, CHANGE, PORTAL, TERMS, fact
from services.intake.domain.catalogue import Code, problem
from services.intake.domain.decision import Outcome
from services.intake.domain.form import Application
from services.intake.store import Answered
from services.intake.web import shapes
from services.issuer.domain.catalogue import Code as IssuerCode
from services.issuer.domain.catalogue import problem as issuer_problem
from services.issuer.domain.guarantee import MailState
from services.issuer.domain.names import VersionKind
from services.issuer.domain.shown import GuaranteeDetail, GuaranteeItem, GuaranteePage, HistoryRow, ShownMail
from services.issuer.domain.states import Status
from services.issuer.web.changes import DecidedChange
from shared.messages.intake import ApplicationAccepted
from shared.problems import Problem
from shared.refusals import Refusal
from shared.web import PROBLEM_JSON, problem_response

Document = dict[str, Any]
Answers = Mapping[str, Any]
"""Examples by status and name, such as `409 conflict`."""

_ACCEPTED: Final = fact(ApplicationAccepted)
_NUMBER: Final = CHANGE["guarantee_number"]
_FIRST_AT: Final = datetime(2026, 1, 15, 0, 30, 2, 117_000, UTC)
_SECOND_AT: Final = datetime(2026, 6, 1, 1, 0, 2, 305_000, UTC)


def _refusal(status: int, code: Refusal | None = None, *, errors: Sequence[Problem] = ()) -> Any:
    return from_json(bytes(problem_response(status, code, errors=errors).body))


_UNAUTHENTICATED: Final[Answers] = {"401 unauthenticated": _refusal(401)}
_INVALID: Final[Answers] = {
    "422 invalid": _refusal(
        422,
        errors=[
            problem(Code.BLANK, "/contact/name", label="担当者名", field="name"),
            problem(Code.MISSING, "/receiving_office", label="申込送信先", field="receiving_office"),
        ],
    )
}
_CHANGE_INVALID: Final[Answers] = {"422 invalid": _refusal(422, errors=[problem(Code.CHANGES_NOTHING, "")])}


def _taken(code: Code, pointer: str) -> Answers:
    return {"409 conflict": _refusal(409, errors=[problem(code, pointer)])}


_FORM: Final = Application.model_validate(APPLICATION)
_RECEIPT: Final = shapes.receipt(_FORM.application_id, _ACCEPTED.remarks)
_CHANGE_RECEIPT: Final = shapes.change_receipt(CHANGE["change_id"], ())
_READ: Final = Answered(
    submission_no=1,
    portal=PORTAL,
    id=_FORM.application_id,
    message_id=None,
    outcome=Outcome.ACCEPTED,
    answered_at=_ACCEPTED.accepted_at,
    answer=_ACCEPTED.model_dump_json(),
)
_ITEM: Final = GuaranteeItem(
    guarantee_number=_NUMBER,
    application_id=_FORM.application_id,
    kind="advance_payment",
    product_name="前払金保証",
    obligee_name="三島市長",
    project_name="市道○○線道路改良工事",
    contractor_name="○○建設 株式会社",
    price=CHANGE["price"],
    amount=CHANGE["amount"],
    certificate_form="electronic",
    status=Status.ACTIVE,
    status_ja="発行済",
    issued_at=_SECOND_AT,
)
_DETAIL: Final = GuaranteeDetail(
    **_ITEM.model_dump(),
    portal=PORTAL,
    version=2,
    jv_name=None,
    depository="○○銀行 ××支店",
    guarantee_until=date(2026, 9, 30),
    remarks=(),
    problems=(),
    message_from_guarantor=None,
    completion_mail=ShownMail(wanted=True, state=MailState.SENT),
    history=(
        HistoryRow(no=1, version=1, version_kind=VersionKind.NEW, version_kind_ja="新規", issued_at=_FIRST_AT),
        HistoryRow(no=2, version=2, version_kind=VersionKind.CHANGE, version_kind_ja="変更", issued_at=_SECOND_AT),
    ),
)
_DECIDED: Final = DecidedChange(
    portal=PORTAL,
    change_id=CHANGE["change_id"],
    guarantee_number=_NUMBER,
    version_kind=VersionKind.CHANGE,
    accepted_at=datetime(2026, 6, 1, 1, 0, 0, 210_000, UTC),
    decided_at=datetime(2026, 6, 1, 1, 0, 0, 480_000, UTC),
    version=2,
    issued_at=_SECOND_AT,
    problems=(),
)
_REFUSED: Final = _DECIDED.model_copy(
    update={
        "version": None,
        "issued_at": None,
        "problems": (issuer_problem(IssuerCode.CHANGE_IN_PROGRESS, "/guarantee_number"),),
    }
)
_NOT_ISSUED: Final[Answers] = {"409 not_issued": _refusal(409, Refusal.NOT_ISSUED), **_UNAUTHENTICATED}

_APPLICATION_TAKEN: Final = _taken(Code.APPLICATION_ID_TAKEN, "/application_id")
_CHANGE_TAKEN: Final = _taken(Code.CHANGE_ID_TAKEN, "/change_id")

ANSWERS: Final[Mapping[str, Mapping[str, Answers]]] = {
    "intake": {
        "post /v1/applications": {
            "202 taken": _RECEIPT,
            "200 taken_before": _RECEIPT,
            **_INVALID,
            **_APPLICATION_TAKEN,
            **_UNAUTHENTICATED,
        },
        "post /v1/applications/check": {
            "200 good": shapes.checked(_FORM, _ACCEPTED.remarks, TERMS),
            **_INVALID,
            **_APPLICATION_TAKEN,
        },
        "post /v1/changes": {
            "202 taken": _CHANGE_RECEIPT,
            "200 taken_before": _CHANGE_RECEIPT,
            **_CHANGE_INVALID,
            **_CHANGE_TAKEN,
            **_UNAUTHENTICATED,
        },
        "get /v1/applications": {"200 page": shapes.Page(items=(shapes.entry(_READ),), next_cursor=None)},
        "get /v1/applications/{application_id}": {"200 accepted": shapes.detail(_READ), "404 not_found": _refusal(404)},
    },
    "issuer": {
        "get /v1/guarantees": {
            "200 page": GuaranteePage(items=(_ITEM,), next_cursor=None),
            **_UNAUTHENTICATED,
        },
        "get /v1/guarantees/{number}": {"200 changed_once": _DETAIL, "404 not_found": _refusal(404)},
        "get /v1/changes/{change_id}": {
            "200 issued": _DECIDED,
            "200 refused": _REFUSED,
            "404 not_decided": _refusal(404),
        },
        "post /v1/guarantees/{number}/auth-key": _NOT_ISSUED,
        "post /v1/guarantees/{number}/key-notice": _NOT_ISSUED,
        "post /v1/guarantees/{number}/completion-mail": _NOT_ISSUED,
    },
}
"""By service, and by method and path."""


def put_in(service: str, document: Document) -> None:
    """Put the examples of a service into its description.

    Raises:
        LookupError: if it does not describe an answer of which there is an example.
    """
    for route, answers in ANSWERS.get(service, {}).items():
        method, path = route.split()
        responses = document["paths"][path][method]["responses"]
        for told, example in answers.items():
            status, name = told.split()
            answer = responses.get(status) or responses.get("default")
            if answer is None:
                raise LookupError(f"{service}: {route} does not describe {status}")
            media = PROBLEM_JSON if status.startswith("4") else "application/json"
            answer["content"][media].setdefault("examples", {})[name] = {"value": _json(example)}


def _json(example: BaseModel | Mapping[str, Any]) -> Any:
    return example.model_dump(mode="json") if isinstance(example, BaseModel) else example
