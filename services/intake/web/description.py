"""The OpenAPI description with the forms that bodies are read as: routes take bytes, so FastAPI cannot tell them."""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.intake.domain.change import Change
from services.intake.domain.form import Application

_FORMS: Final[tuple[type[BaseModel], ...]] = (Application, Change)
_SCHEMAS: Final = "#/components/schemas/"


def body_of(form: str) -> dict[str, Any]:
    """What a route says about its body: a form, by its name among the schemas."""
    content = {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{form}"}}}
    return {"requestBody": {"required": True, "content": content}}


def described(app: FastAPI) -> dict[str, Any]:
    """The description of `app`, with the schemas of the forms."""
    described = app.openapi()
    _, forms = models_json_schema([(form, "validation") for form in _FORMS], ref_template=f"{_SCHEMAS}{{model}}")
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in forms["$defs"].items():
        schemas.setdefault(name, schema)
    return described


def publish(app: FastAPI) -> None:
    """Serve the description at `/openapi.json`; it holds nothing that is not published, so it needs no token."""

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        return described(app)
