"""The bill of materials tells of everything that is locked, and the page of dependencies of everything wished for."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy import sbom
from deploy.places import CHECKOUT

LOCK = sbom.LOCK.read_text(encoding="utf-8")
WISHES = sbom.WISHES.read_text(encoding="utf-8")
PAGE = CHECKOUT / "docs" / "dependencies.md"
ROW = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<licence>[^|]+) \| (?P<reason>[^|]+) \|$", re.MULTILINE)

SMALL_LOCK = """\
web==1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via -r requirements.in
wires==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:{a}
    # via
    #   web
    #   Check_er
check.er==3.0 \\
    --hash=sha256:{b}
    # via -r requirements.in
threads==4.0 \\
    --hash=sha256:{b}
    # via wires
""".format(a="a" * 64, b="b" * 64)
SMALL_WISHES = "# What the services run on.\nweb[fast]\n# What the checks add.\nCheck_er>=2\n"


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return sbom.bill(LOCK, WISHES, "0.1.0")


def test_every_locked_line_is_a_component_with_every_hash_of_it(made: dict[str, Any]) -> None:
    names = re.findall(r"^([a-zA-Z0-9][^=\[ ]*)(?:\[.*\])?==", LOCK, re.MULTILINE)
    hashes = [digest["content"] for component in made["components"] for digest in component["hashes"]]

    assert [component["name"] for component in made["components"]] == [sbom.normalised(name) for name in names]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", LOCK))


def test_it_has_the_form_of_cyclonedx(made: dict[str, Any]) -> None:
    """No package of the lock has the official schema, so what it demands of these members is written out here."""
    refs = [component["bom-ref"] for component in made["components"]]

    assert (made["bomFormat"], made["specVersion"], made["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["serialNumber"])
    assert len(set(refs)) == len(refs), "a bom-ref is unique"
    for component in made["components"]:
        assert component["type"] == "library"
        assert component["purl"] == f"pkg:pypi/{component['name']}@{component['version']}"
        assert component["scope"] in {"required", "excluded"}
        assert component["hashes"], f"{component['name']} is locked without a hash"
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest["content"]) for digest in component["hashes"])
        for licence in component.get("licenses", ()):
            assert licence["license"]["name"]
    for dependency in made["dependencies"]:
        assert {dependency["ref"], *dependency["dependsOn"]} <= {*refs, made["metadata"]["component"]["bom-ref"]}
    assert sorted(dependency["ref"] for dependency in made["dependencies"][1:]) == sorted(refs)


def test_a_licence_is_told_of_everything_that_is_installed(made: dict[str, Any]) -> None:
    unlicensed = {component["name"] for component in made["components"] if "licenses" not in component}
    elsewhere = {one.name for one in sbom.pinned(LOCK) if re.search(rf"^{one.name}==\S+ ;", LOCK, re.MULTILINE)}

    assert unlicensed <= elsewhere, "only what this machine does not need may lack a licence here"


def test_what_runs_is_told_from_what_only_checks(made: dict[str, Any]) -> None:
    scopes = {component["name"]: component["scope"] for component in made["components"]}

    assert {scopes[name] for name in ("asyncpg", "aiormq", "cryptography", "starlette", "pydantic-core")} == {
        "required"
    }
    assert {scopes[name] for name in ("pytest", "ruff", "mypy", "celery", "schemathesis")} == {"excluded"}


def test_needs_are_followed_through_others_and_names_are_compared_as_indexes_do() -> None:
    small = sbom.bill(SMALL_LOCK, SMALL_WISHES, "1")
    depends = {dependency["ref"]: dependency["dependsOn"] for dependency in small["dependencies"]}
    scopes = {component["name"]: component["scope"] for component in small["components"]}

    assert scopes == {"web": "required", "wires": "required", "check-er": "excluded", "threads": "required"}
    assert depends["pkg:generic/hosho@1"] == ["pkg:pypi/check-er@3.0", "pkg:pypi/web@1.0"]
    assert depends["pkg:pypi/web@1.0"] == ["pkg:pypi/wires@2.0"]
    assert depends["pkg:pypi/check-er@3.0"] == ["pkg:pypi/wires@2.0"]
    assert depends["pkg:pypi/threads@4.0"] == []


def test_the_same_lock_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"

    assert sbom.write(first) == json.loads(second.read_text() if sbom.write(second) else "")
    assert first.read_bytes() == second.read_bytes()


def test_the_page_has_a_row_for_each_direct_dependency_and_no_other() -> None:
    """In the order of requirements.in, section by section, so that the two are easily read side by side."""
    wished = [name for names in sbom.wished(WISHES).values() for name in names]
    rows = [sbom.normalised(row["name"]) for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))]

    assert rows == wished


def test_the_page_names_the_licence_that_the_package_names() -> None:
    told = {row["name"]: row["licence"] for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))}

    assert told == {name: sbom.licence_of(name) for name in told}


def test_every_reason_is_a_sentence() -> None:
    for row in ROW.finditer(PAGE.read_text(encoding="utf-8")):
        assert re.fullmatch(r"[A-Z].{12,}\.", row["reason"]), row["name"]
