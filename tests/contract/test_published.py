"""What stands in `docs/contracts/` is what the code does, is well formed, and holds the agreed examples."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from schemathesis.specs.openapi.definitions import OPENAPI_31

from deploy.contracts import folder
from deploy.contracts.messages import Published, published
from deploy.contracts.schemas import references
from deploy.contracts.story import FACTS
from shared import messages, topology
from shared.messages import Message
from simulators.portal.samples import samples

AGREED: Final = Path(__file__).parent / "examples"
ASYNCAPI: Final = Path(__file__).parent / "schemas" / "asyncapi" / "3.0.0.json"

FILES: Final = folder.files()
DOCUMENTS: Final = {path: json.loads(text) for path, text in FILES.items() if path.endswith(".json")}
MESSAGES: Final = {one.path: one for one in published()}

SAMPLES: Final = 200

AGREED_AS: Final = {
    "application": "to_hosho/application.submitted",
    "change": "to_hosho/change.requested",
    "guarantee_concluded": "to_hosho/core.guarantee_concluded.v1",
    "guarantee_declined": "to_hosho/core.guarantee_declined.v1",
    "application_accepted": "to_portals/intake.application_accepted.v1",
    "application_rejected": "to_portals/intake.application_rejected.v1",
    "application_conflicted": "to_portals/intake.application_conflicted.v1",
    "change_accepted": "to_portals/intake.change_accepted.v1",
    "change_rejected": "to_portals/intake.change_rejected.v1",
    "guarantee_issued": "to_portals/issuer.guarantee_issued.v1",
    "guarantee_status_changed": "to_portals/issuer.guarantee_status_changed.v1",
    "paper_ordered": "inside/issuer.paper_ordered.v1",
    "certificate": "documents/certificate",
}
"""Under which name each example that was agreed with the outside is published."""


def below(kind: str) -> list[str]:
    """The documents of one folder."""
    return sorted(path for path in DOCUMENTS if path.startswith(f"{kind}/"))


def wrong(schema: Mapping[str, Any], value: object) -> list[str]:
    """What a schema has against a value."""
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def resolved(document: Mapping[str, Any], reference: str) -> Any:
    """What a local reference leads to."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_published_files_are_those_of_the_code() -> None:
    there = folder.present(folder.CONTRACTS) - folder.BY_HAND
    differing = sorted(
        path
        for path in there | set(FILES)
        if path not in there
        or path not in FILES
        or (folder.CONTRACTS / path).read_text(encoding="utf-8") != FILES[path]
    )

    assert not differing, "run `make contracts`, and look at what it changed before you commit it"


def test_writing_mends_what_was_changed_by_hand_and_removes_what_is_no_contract(tmp_path: Path) -> None:
    folder.write(tmp_path)
    (tmp_path / "asyncapi" / "portal.json").write_text("{}", encoding="utf-8")
    (tmp_path / "schemas" / "old.json").write_text("{}", encoding="utf-8")
    (tmp_path / "README.md").write_text("by hand", encoding="utf-8")
    told = folder.write(tmp_path)

    assert told == ["removed schemas/old.json", "changed asyncapi/portal.json"]
    assert folder.present(tmp_path) == {*FILES, "README.md"}
    assert folder.write(tmp_path) == ["nothing changed"]


@pytest.mark.parametrize("path", below("asyncapi"))
def test_every_asyncapi_document_has_the_form_of_asyncapi_3(path: str) -> None:
    form = json.loads(ASYNCAPI.read_text(encoding="utf-8"))
    errors = [
        f"{error.json_path}: {error.message}"[:500] for error in Draft7Validator(form).iter_errors(DOCUMENTS[path])
    ]

    assert not errors


def test_the_form_of_asyncapi_3_refuses_what_is_not_in_it() -> None:
    form = json.loads(ASYNCAPI.read_text(encoding="utf-8"))
    document = json.loads(FILES["asyncapi/portal.json"])
    document["channels"]["answers"]["addres"] = document["channels"]["answers"].pop("address")

    assert list(Draft7Validator(form).iter_errors(document))


@pytest.mark.parametrize("path", below("openapi"))
def test_every_openapi_document_has_the_form_of_openapi_3_1(path: str) -> None:
    assert not wrong(OPENAPI_31, DOCUMENTS[path])
    assert DOCUMENTS[path]["openapi"].startswith("3.1.")


@pytest.mark.parametrize("path", below("openapi"))
def test_every_answer_in_json_is_described_by_its_members(path: str) -> None:
    """An object of which nothing is said, or an answer of any form, tells a reader nothing."""
    document = DOCUMENTS[path]
    bare = [
        f"{method} {place} {status}"
        for place, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        for media, content in answer.get("content", {}).items()
        if media.endswith(("/json", "+json")) and not _has_members(document, content.get("schema", {}))
    ]

    assert bare == []


def _has_members(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    if "$ref" in schema:
        return _has_members(document, resolved(document, schema["$ref"]))
    if schema.get("type") == "array":
        return _has_members(document, schema["items"])
    forms = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf") or ()
    return bool(schema.get("properties")) or any(_has_members(document, one) for one in forms)


def test_the_form_of_openapi_refuses_what_is_not_in_it() -> None:
    document = json.loads(FILES["openapi/platform.json"])
    del document["info"]["version"]

    assert wrong(OPENAPI_31, document)


def _answered(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Where it stands, its schema and its value, of every example of a body in an OpenAPI document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            bodies = {**operation["responses"], "body": operation.get("requestBody", {})}
            for status, body in bodies.items():
                for content in body.get("content", {}).values():
                    schema = {**content.get("schema", {}), "components": document["components"]}
                    told = {"the": {"value": content["example"]}} if "example" in content else {}
                    for name, example in {**told, **content.get("examples", {})}.items():
                        yield f"{method} {path} {status} {name}", schema, example["value"]


@pytest.mark.parametrize("path", ["openapi/intake.json", "openapi/issuer.json", "openapi/platform.json"])
def test_every_example_of_an_openapi_document_fits_what_is_described(path: str) -> None:
    found = list(_answered(DOCUMENTS[path]))

    assert found
    assert {place: misfits for place, schema, value in found if (misfits := wrong(schema, value))} == {}
    assert any(wrong(schema, {}) for _, schema, _ in found), "it finds what does not fit"


def test_the_refusal_that_the_page_shows_is_the_one_that_is_given() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", (folder.CONTRACTS / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    given = {place: value for place, _, value in _answered(DOCUMENTS["openapi/intake.json"])}

    assert json.loads(shown) == next(value for place, value in given.items() if place.endswith("conflict"))


def test_portals_find_an_example_of_every_answer_they_must_understand() -> None:
    there = {
        tuple(place.split(" ")[i] for i in (0, 1, 3))
        for path in ("openapi/intake.json", "openapi/issuer.json")
        for place, _, _ in _answered(DOCUMENTS[path])
    }

    assert {
        ("post", "/v1/applications", "taken"),
        ("post", "/v1/applications", "invalid"),
        ("post", "/v1/applications", "conflict"),
        ("post", "/v1/applications", "unauthenticated"),
        ("get", "/v1/guarantees", "page"),
        ("get", "/v1/guarantees/{number}", "changed_once"),
        ("get", "/v1/changes/{change_id}", "issued"),
        ("get", "/v1/changes/{change_id}", "refused"),
    } <= there


@pytest.mark.parametrize("path", [*below("asyncapi"), *below("openapi"), *below("schemas")])
def test_every_reference_leads_somewhere(path: str) -> None:
    document = DOCUMENTS[path]

    for reference in references(document):
        assert isinstance(resolved(document, reference), dict), reference


def _messages_of(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, schema of payload and headers together, and example of every message of an AsyncAPI document."""
    for name, message in document["components"]["messages"].items():
        parts = {part: message[part] for part in ("payload", "headers") if part in message}
        schema = {"type": "object", "required": list(parts), "properties": parts, "components": document["components"]}
        for example in message["examples"]:
            yield name, schema, example


@pytest.mark.parametrize("path", below("asyncapi"))
def test_every_example_of_an_asyncapi_document_fits_its_message(path: str) -> None:
    found = list(_messages_of(DOCUMENTS[path]))

    assert found
    for name, schema, example in found:
        assert not wrong(schema, {"headers": {}} | example), name


@pytest.mark.parametrize("one", published(), ids=lambda one: one.path)
def test_every_example_fits_its_schema_and_the_schema_sees_what_is_missing(one: Published) -> None:
    Draft202012Validator.check_schema(one.schema)
    lacking = {name: value for name, value in one.example.items() if name != one.schema["required"][0]}

    assert not wrong(one.schema, one.example)
    assert wrong(one.schema, lacking)
    assert not wrong(one.schema, one.example | {"added_later": 1}), "unknown fields are to be ignored"


@pytest.mark.parametrize("path", sorted(AGREED.glob("*.json")), ids=lambda path: path.stem)
def test_every_agreed_example_fits_the_published_schema(path: Path) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))

    if path.stem == "jwks":
        assert example == DOCUMENTS["examples/documents/jwks.json"]
    else:
        assert not wrong(MESSAGES[AGREED_AS[path.stem]].schema, example)


def test_every_message_that_is_known_has_an_example() -> None:
    for file in pkgutil.iter_modules(messages.__path__):
        importlib.import_module(f"{messages.__name__}.{file.name}")
    known = {kind.TYPE for kind in Message.__subclasses__() if kind.__module__.startswith(messages.__name__)}

    assert known == {fact.TYPE for fact in FACTS}


def test_every_queue_of_the_plan_is_heard_by_a_described_program_and_no_other_one() -> None:
    planned = {queue.name for queue in topology.plan([("{portal}", True), ("office", True)]).queues}
    heard = {
        document["channels"][operation["channel"]["$ref"].rpartition("/")[2]]["address"]
        for path, document in DOCUMENTS.items()
        if path.startswith("asyncapi/")
        for operation in document["operations"].values()
        if operation["action"] == "receive"
    }

    assert heard == planned - {topology.door_queue("office")}, "the office's door is one of the portals' doors"


def test_what_portals_are_told_of_has_neither_mail_nor_key_in_schema_or_example() -> None:
    for one in published():
        if one.audience == "to_portals":
            told = json.dumps([one.schema, one.example], ensure_ascii=False)
            assert not any(word in told for word in ("completion_mail", "address", "auth_key", "sealed"))


def test_every_application_that_the_simulated_portal_means_well_fits_the_published_form() -> None:
    form = MESSAGES["to_hosho/application.submitted"].schema
    meant_well = [one for one in islice(samples("portal-a", 1), SAMPLES) if one.accepted]

    assert len(meant_well) > SAMPLES // 2
    for one in meant_well:
        assert wrong(form, one.application) == []
