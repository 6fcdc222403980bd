"""The door describes itself: its routes with their shapes, its codes, and times in one form."""

import re
from typing import Any

from services.issuer.domain.catalogue import CATALOGUE, Code
from shared.inputs import INPUTS, InputCode
from shared.refusals import given_by
from tests.service.issuer.bench import Bench
from tests.service.issuer.conftest import Door

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00")


async def test_every_route_is_described_with_the_shape_of_its_answer(door: Door) -> None:
    status, described, _ = await door.call("GET", "/openapi.json", caller="")
    shapes = {
        f"{method} {path}": answer["content"]["application/json"]["schema"]
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        for code, answer in operation["responses"].items()
        if code.startswith("2") and "application/json" in answer["content"]
    }

    assert status == 200
    assert {
        "get /v1/guarantees",
        "get /v1/guarantees/{number}",
        "get /v1/guarantees/{number}/certificates/{version}",
        "post /v1/guarantees/{number}/auth-key",
        "get /v1/guarantees/{number}/key-reveals",
        "post /v1/guarantees/{number}/completion-mail",
        "get /v1/changes/{change_id}",
        "get /v1/problems",
        "get /.well-known/jwks.json",
    } <= set(shapes)
    assert all(schema.get("$ref", "").startswith("#/components/schemas/") for schema in shapes.values()), shapes


async def test_the_detail_that_is_served_has_every_field_that_is_described(bench: Bench, door: Door) -> None:
    _, number, _ = await bench.issue()
    _, described, _ = await door.call("GET", "/openapi.json", caller="")
    _, detail, _ = await door.call("GET", f"/v1/guarantees/{number}")
    _, certificate, _ = await door.call("GET", f"/v1/guarantees/{number}/certificates/1")
    schemas = described["components"]["schemas"]

    assert set(detail) == set(schemas["GuaranteeDetail"]["properties"])
    assert set(certificate) == set(schemas["CertificateData"]["properties"])


async def test_the_catalogue_tells_every_code_in_both_languages(door: Door) -> None:
    status, body, _ = await door.call("GET", "/v1/problems")
    told = {row["code"]: (row["message_ja"], row["message_en"]) for row in body["problems"]}

    assert status == 200
    assert set(told) == {*Code, *InputCode} == {*CATALOGUE, *INPUTS}
    assert {row["code"]: row["status"] for row in body["answers"]} == {
        code: meaning.status for code, meaning in given_by("issuer").items()
    }
    assert all(ja and en for ja, en in told.values())
    assert (await door.call("GET", "/v1/problems", caller=""))[0] == 401


async def test_all_times_have_one_form(bench: Bench, door: Door) -> None:
    application_id, number, _ = await bench.issue()
    _, detail, _ = await door.call("GET", f"/v1/guarantees/{number}")
    _, page, _ = await door.call("GET", "/v1/guarantees", query={"application_id": application_id})
    _, certificate, _ = await door.call("GET", f"/v1/guarantees/{number}/certificates/1")
    times: list[Any] = [
        detail["issued_at"],
        detail["history"][0]["issued_at"],
        page["items"][1]["issued_at"],
        certificate["concluded_at"],
    ]

    assert all(MOMENT.fullmatch(time) for time in times), times
