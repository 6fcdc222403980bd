"""OpenAPI 3.1 of every HTTP surface: what the services serve, and what the bridge calls."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from fastapi import FastAPI

from deploy.contracts import answers
from deploy.contracts.platform import platform
from deploy.contracts.services import operator_door, web_of
from deploy.contracts.story import APPLICATION, CHANGE
from services.intake.web.description import described as intake_described

Document = dict[str, Any]

_TOLD: Final[Mapping[str, str]] = {
    "intake": "Portals send applications (申込) and changes (変更) here, and read what became of them.",
    "issuer": "Portals and the office read guarantees here: 保証契約一覧, 電子保証概要, 認証キー and its notice.",
    "ops": "Operators see here where everything is, and act on what lies parked.",
    "operator_door": "Below `/operator` of every service: what waits there, why, until when, and what may be done.",
}


def openapi_documents() -> dict[str, Document]:
    """Every description, by its name."""
    return {
        "intake": _intake(),
        "issuer": _described("issuer", web_of("issuer")),
        "ops": _described("ops", web_of("ops")),
        "operator_door": _described("operator_door", operator_door()),
        "platform": platform(),
    }


def _intake() -> Document:
    document = _published("intake", intake_described(web_of("intake")))
    for path, example in {"/v1/applications": APPLICATION, "/v1/changes": CHANGE}.items():
        for sent_to in (path, f"{path}/check"):
            body = document["paths"][sent_to]["post"]["requestBody"]
            body["content"]["application/json"]["example"] = example
    return document


def _described(name: str, app: FastAPI) -> Document:
    return _published(name, app.openapi())


def _published(name: str, document: Document) -> Document:
    published = deepcopy(document)
    published["info"]["description"] = _TOLD[name]
    # Where a service listens is for its deployment to say; this name stands for it.
    published["servers"] = [{"url": f"https://{name.replace('_', '-')}.hosho.example"}]
    answers.put_in(name, published)
    return {"openapi": published.pop("openapi"), "info": published.pop("info"), **published}
