"""The platform as the bridge calls it: our side of a contract that any platform behind a small adapter can keep."""

from typing import Any, Final

from deploy.contracts.messages import of_audience
from deploy.contracts.schemas import Shelf
from services.platform_bridge.domain.answers import PROBLEM_KEY_REUSED, PROBLEM_REFUSED, RETRY_AFTER_S_MAX
from shared.health import version

_PROBLEM_JSON: Final = "application/problem+json"
_NUMBER_SHAPE: Final = "^[0-9]{5}-[0-9]{6}$"

_ARRIVAL: Final = {
    "type": "object",
    "required": ["certificate_id", "arrived_at"],
    "properties": {
        "certificate_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "The platform's own name.",
        },
        "arrived_at": {
            "type": "string",
            "format": "date-time",
            "description": "電子保証発行日時: when the certificate arrived the first time, RFC 3339 with any offset. "
            "The same in every answer about this version, and perhaps long before it.",
        },
    },
}
_PROBLEM: Final = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "examples": [PROBLEM_REFUSED, PROBLEM_KEY_REUSED, "about:blank"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_EXAMPLE: Final = {"certificate_id": "c-000001", "arrived_at": "2026-01-15T09:30:02.117+09:00"}


def platform() -> dict[str, Any]:
    """The OpenAPI description of the two routes that the bridge calls."""
    shelf = Shelf()
    certificate = of_audience("documents", "certificate")
    body = shelf.put("PostedCertificate", certificate.schema)
    shelf.put("Arrival", _ARRIVAL)
    shelf.put("Problem", _PROBLEM)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The municipal confirmation platform, as Hosho calls it",
            "version": version(),
            "description": "What `platform_bridge` sends and how it reads every answer. Whatever is not listed here "
            "(another 5xx, a reset, a time-out, an answer that cannot be read) leaves the outcome unknown: the same "
            "bytes are sent again under the same key, and after any such try a 400, 404 or 422 is settled by the GET.",
        },
        "servers": [{"url": "https://platform.example"}],
        "security": [{"bearer": []}],
        "paths": {
            "/v1/certificates": {"post": _post(body, certificate.example)},
            "/v1/certificates/{guarantee_number}/{version}": {"get": _get()},
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": shelf.schemas,
        },
    }


def _post(body: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "post_certificate",
        "summary": "Post one version of a certificate",
        "description": "A repeat is the same if its `content_sha256` is the same, for good, with no expiry.",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "A quoted structured-field string (RFC 9651): guarantee number, slash, version. The "
                "same over all tries of this version.",
                "schema": {"type": "string", "pattern": '^"[0-9]{5}-[0-9]{6}/[0-9]+"$'},
                "example": f'"{example["guarantee_number"]}/{example["version"]}"',
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": body, "example": example}},
        },
        "responses": {
            "201": _arrived("It arrived now; `arrived_at` is 電子保証発行日時."),
            "200": _arrived("It had arrived before: the same `arrived_at` as then."),
            "400": _problem("Malformed: a bug of ours. It is held and an alarm is raised."),
            **_credentials(),
            "409": _problem("Another try of the same key is in progress. It is sent again later."),
            "422": _problem(
                f"`{PROBLEM_REFUSED}`: refused for good, the office must act; final for this version. "
                f"`{PROBLEM_KEY_REUSED}`: another certificate stands under this key, a bug of ours."
            ),
            **_later(),
        },
    }


def _get() -> dict[str, Any]:
    return {
        "operationId": "read_arrival",
        "summary": "Ask whether and when a version arrived",
        "parameters": [
            _in_path("guarantee_number", {"type": "string", "pattern": _NUMBER_SHAPE}),
            _in_path("version", {"type": "integer", "minimum": 1}),
        ],
        "responses": {
            "200": _arrived("It arrived: the same `arrived_at` as ever."),
            "404": _problem("It never arrived."),
            **_credentials(),
            **_later(),
        },
    }


def _in_path(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _arrived(told: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Arrival"}
    return {"description": told, "content": {"application/json": {"schema": schema, "example": _EXAMPLE}}}


def _problem(told: str) -> dict[str, Any]:
    return {"description": told, "content": {_PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _credentials() -> dict[str, Any]:
    told = "Our credentials: everything stops, an alarm is raised, one probe every 60 s, nothing is burnt."
    return {"401": _problem(told), "403": _problem(told)}


def _later() -> dict[str, Any]:
    retry_after = {
        "description": f"Seconds or an HTTP date; at most {RETRY_AFTER_S_MAX:.0f} s of it are kept.",
        "schema": {"type": "string"},
    }
    told = "Not now: nothing is sent before the time that Retry-After names."
    return {status: {**_problem(told), "headers": {"Retry-After": retry_after}} for status in ("429", "503")}
