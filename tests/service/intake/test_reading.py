"""What can be read over HTTP: complete, the same on a growing table, in one form, and described as it is."""

import re
from typing import Any

import pytest

from services.intake.domain.catalogue import CATALOGUE
from shared.refusals import given_by
from tests.service.intake.conftest import Intake
from tests.unit.intake.changes import CHANGE
from tests.unit.intake.samples import EXAMPLE, body_of, changed

APPLICATIONS = "/v1/applications"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+09:00")


def _named(name: str, changes: dict[str, Any] | None = None) -> bytes:
    return body_of(changed({"/application_id": name, **(changes or {})}))


async def test_an_accepted_application_is_read_back_whole(intake: Intake) -> None:
    depository = {"/guarantees/0/depository": "○○銀行 ××支店"}
    receipt = await intake.call("POST", APPLICATIONS, body=_named("R-1", depository))
    _, read, _ = await intake.call("GET", receipt[1]["status_url"])

    assert (read["portal"], read["application_id"], read["outcome"]) == ("portal-a", "R-1", "accepted")
    assert [(line["kind"], line["amount"], line["base"], line["ratio_percent"]) for line in read["lines"]] == [
        ("advance_payment", 20_000_000, 50_000_000, "40.0%"),
        ("contract_performance", 5_000_000, 50_000_000, "10.0%"),
    ]
    assert read["guarantee_until"] == "2026-12-25"
    assert read["application"]["contract"] == EXAMPLE["contract"]
    assert read["application"]["guarantees"][0]["depository"] == "○○銀行\u3000××支店"
    assert [remark["code"] for remark in read["remarks"]] == ["depository_normalised"]
    assert (read["terms"]["obligee_name"], read["problems"], read["message_id"]) == ("三島市長", [], None)


async def test_a_refusal_is_read_back_with_its_reasons_and_no_form(intake: Intake) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("R-2", {"/contract/price": 0}))
    _, read, _ = await intake.call("GET", f"{APPLICATIONS}/R-2")

    assert (read["outcome"], read["lines"], read["application"], read["terms"]) == ("rejected", [], None, None)
    assert [problem["code"] for problem in read["problems"]] == ["not_positive"]


async def test_every_time_is_told_in_one_form(intake: Intake) -> None:
    await intake.call("POST", APPLICATIONS, body=_named("R-3", {"/submitted_at": "2026-01-15T00:30:00.9999Z"}))
    await intake.call("POST", "/v1/changes", body=body_of({**CHANGE, "change_id": "R-3"}))
    _, read, _ = await intake.call("GET", f"{APPLICATIONS}/R-3")
    _, change, _ = await intake.call("GET", "/v1/changes/R-3")

    assert read["application"]["submitted_at"] == "2026-01-15T09:30:00.999+09:00"
    assert change["change"]["submitted_at"] == "2026-06-01T10:00:00.000+09:00"
    for moment in (read["answered_at"], change["answered_at"]):
        assert MOMENT.fullmatch(moment)


async def test_a_list_read_by_cursor_is_the_same_while_the_table_grows(intake: Intake) -> None:
    """New ones come on top, so the pages below neither repeat nor lose one that was there at the beginning."""
    for number in range(6):
        await intake.call("POST", APPLICATIONS, body=_named(f"R-4-{number}"))
    seen: list[str] = []
    path = f"{APPLICATIONS}?limit=2"
    while len(seen) < 6:
        _, page, _ = await intake.call("GET", path)
        seen += [item["application_id"] for item in page["items"]]
        await intake.call("POST", APPLICATIONS, body=_named(f"R-4-late-{len(seen)}"))
        path = f"{APPLICATIONS}?limit=2&cursor={page['next_cursor']}"

    assert seen == [f"R-4-{number}" for number in reversed(range(6))]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("cursor=x", "/cursor"),
        ("cursor=0", "/cursor"),
        ("cursor=99999999999999999999", "/cursor"),
        ("limit=0", "/limit"),
        ("limit=201", "/limit"),
        ("outcome=good", "/outcome"),
        ("portal=Portal%20A", "/portal"),
        (f"application_id={'x' * 65}", "/application_id"),
    ],
)
async def test_a_query_that_makes_no_sense_is_told_by_the_name_of_its_parameter(
    intake: Intake, query: str, pointer: str
) -> None:
    status, told, _ = await intake.call("GET", f"{APPLICATIONS}?{query}")

    assert status == 422
    assert [(problem["code"], problem["pointer"]) for problem in told["errors"]] == [("parameter_invalid", pointer)]


async def test_several_wrong_parameters_are_told_at_once(intake: Intake) -> None:
    _, told, _ = await intake.call("GET", "/v1/changes?limit=0&guarantee_number=1&outcome=")

    assert {problem["pointer"] for problem in told["errors"]} == {"/limit", "/guarantee_number", "/outcome"}


async def test_the_registry_is_served_with_its_sources(intake: Intake) -> None:
    _, registry, _ = await intake.call("GET", "/v1/obligees")
    mishima, city = registry["obligees"][:2]

    assert (mishima["code"], mishima["name"]) == ("222062", "三島市長")
    assert mishima["electronic"] == [
        {
            "valid_from": "2026-01-01",
            "valid_until": None,
            "source": "公表された利用条件: 令和8年1月以降に、三島市と契約の締結を行う案件",
            "basis": "contract_date",
            "works_kinds": ["construction", "design", "survey"],
            "changes_of_older_contracts_excluded": True,
        }
    ]
    assert (mishima["rates"], mishima["key_notices"]) == ([], [])
    assert city["rates"][0]["minimum_price_yen"] == 1_300_000
    assert city["key_notices"][0]["mail_subject"] == "【認証キー】電子保証の認証キーのお知らせ"
    assert registry["general_rates"][0]["source"]


async def test_the_catalogue_is_served_with_meanings_and_places(intake: Intake) -> None:
    _, catalogue, _ = await intake.call("GET", "/v1/problems")
    by_code = {entry["code"]: entry for entry in catalogue["problems"]}

    assert list(by_code) == [code.value for code in CATALOGUE]
    assert {entry["code"]: entry["status"] for entry in catalogue["answers"]} == {
        code: meaning.status for code, meaning in given_by("intake").items()
    }
    assert by_code["changes_nothing"] == {
        "code": "changes_nothing",
        "is_remark": False,
        "meaning": "No value is changed or corrected (rule 12).",
        "message_ja": "変更内容がありません。",
        "message_en": "The change changes nothing.",
        "pointers": [""],
    }


async def test_the_description_tells_bodies_and_answers_as_they_are(intake: Intake) -> None:
    status, described, _ = await intake.call("GET", "/openapi.json", token="")
    schemas, paths = described["components"]["schemas"], described["paths"]
    sent = paths["/v1/applications"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    change = paths["/v1/changes"]["post"]["requestBody"]["content"]["application/json"]["schema"]

    assert status == 200
    assert (sent, change) == ({"$ref": "#/components/schemas/Application"}, {"$ref": "#/components/schemas/Change"})
    assert set(schemas["Application"]["properties"]) == set(EXAMPLE)
    assert set(schemas["Change"]["properties"]) == set(CHANGE)
    assert schemas["Application"]["properties"]["receiving_office"]["title"] == "申込送信先"
    assert "令和8年1月5日" in schemas["Contract"]["properties"]["contract_date"]["examples"]
    told = set(paths["/v1/applications"]["post"]["responses"])
    assert told == {"200", "202", *map(str, (400, 401, 408, 409, 413, 422, 429, 503)), "default"}
    assert _references(described) <= {f"#/components/schemas/{name}" for name in schemas}


def _references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


async def test_an_application_may_be_called_by_a_word_that_an_address_has_too(intake: Intake) -> None:
    """Ids are the portal's; what an address means follows from the method, so nothing is taken for something else."""
    status, receipt, _ = await intake.call("POST", APPLICATIONS, body=_named("check"))
    read, told, _ = await intake.call("GET", receipt["status_url"])
    judged, _, _ = await intake.call("POST", f"{APPLICATIONS}/check", body=_named("check-not"))
    refused, _, headers = await intake.call("PUT", f"{APPLICATIONS}/check")

    assert (status, receipt["status_url"], read, told["application_id"]) == (202, f"{APPLICATIONS}/check", 200, "check")
    assert judged == 200
    assert (refused, headers["allow"]) == (405, "GET, POST")
    assert (await intake.call("PUT", APPLICATIONS))[2]["allow"] == "GET, POST"
