"""What we are made of: an image that is nobody's and cannot write to itself, and a repository that holds no secret."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from deploy import sbom
from deploy.local.postgres import SETTINGS
from deploy.local.secret_store import ring_key, token
from deploy.places import CHECKOUT

DOCKERFILE: Final = (CHECKOUT / "deploy" / "images" / "Dockerfile").read_text(encoding="utf-8")
RUFF: Final[dict[str, Any]] = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
RUNS: Final = ("services", "shared", "simulators", "deploy")

FALSE_ALARMS: Final = {"S105", "S106", "S107"}
"""They take any name with "token" in it for a secret; what they look for is looked for below."""

SILENCED: Final = re.compile(r"# noqa: (?:[A-Z0-9]+, )*S\d+(?P<why>.*)$", re.MULTILINE)
SECRET: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?i:passw(?:or)?d|token|secret|api_?key|sealing_keys?|signing_keys?)[\"']?\s*[=:]\s*"
    r"[\"']?(?:[a-z0-9-]+:)?[A-Za-z0-9+/_-]{24,}"
)
PERMISSIVE: Final = re.compile(r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|OFL|MPL-2\.0|Mozilla|Unlicense")
COPYLEFT: Final = re.compile(r"GPL|GNU|SSPL|EUPL|Commons Clause")
TEXT_BYTES_MAX: Final = 1_000_000
NOT_OURS: Final = {"build", "__pycache__"}


def files(*below: str) -> Iterator[Path]:
    """Everything that belongs to the repository below these folders; hidden folders do not."""
    for place in (CHECKOUT / name for name in below) if below else (CHECKOUT,):
        for path in sorted(place.rglob("*")):
            inner = path.relative_to(CHECKOUT).parts
            hidden = any(part.startswith(".") and part != ".ci" for part in inner)
            if path.is_file() and not hidden and not NOT_OURS & set(inner):
                yield path


def stages() -> list[list[str]]:
    """The lines of each stage of the image's description."""
    found = re.split(r"^FROM .*$", DOCKERFILE.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    return [[line for line in stage.splitlines() if line and not line.startswith("#")] for stage in found]


def test_what_runs_in_the_image_is_nobody() -> None:
    """An account of its own without a shell, whose number none of the host's has, and nothing after it as another."""
    last = stages()[-1]
    users = [line for line in last if line.startswith("USER ")]
    made = re.search(r"useradd .*--uid (\d+) .*--shell /usr/sbin/nologin (\w+)", DOCKERFILE.replace("\\\n", " "))

    assert users == ["USER hosho"]
    assert last[-1] == users[0]
    assert made is not None
    assert (int(made[1]) >= 10_000, made[2]) == (True, "hosho")


def test_nothing_gets_into_the_image_that_the_lock_does_not_know_by_its_hash() -> None:
    installing = [line for stage in stages() for line in stage if "pip" in line or " apt" in line or "curl" in line]

    assert len(installing) == 1
    assert "--require-hashes -r /tmp/requirements.lock" in installing[0]
    assert not re.search(r"^ADD |^ARG |^ENV .*(?i:password|token|secret|key)", DOCKERFILE, re.MULTILINE)


def test_nothing_that_runs_demands_that_we_publish_our_own_source() -> None:
    """What others' licences ask for is to be named, no more; direct and indirect needs alike."""
    bill = sbom.bill(sbom.LOCK.read_text(encoding="utf-8"), sbom.WISHES.read_text(encoding="utf-8"), "0")
    licences = {
        one["name"]: " ".join(told["license"]["name"] for told in one.get("licenses", ()))
        for one in bill["components"]
        if one["scope"] == "required"
    }
    unknown = {name: told for name, told in licences.items() if told and not PERMISSIVE.search(told)}

    assert len(licences) > 30
    assert unknown == {}
    assert {name: told for name, told in licences.items() if COPYLEFT.search(told)} == {}


def test_the_security_rules_are_on_for_everything_that_runs() -> None:
    lint = RUFF["lint"]
    loosened = {
        where: {rule for rule in rules if rule.startswith("S") and not rule.startswith(("SIM", "SLF", "SLOT"))}
        for where, rules in lint["per-file-ignores"].items()
    }

    assert "S" in lint["select"]
    assert {rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)} == FALSE_ALARMS
    assert {where: rules for where, rules in loosened.items() if rules} == {
        "tests/**": {"S"},
        "bench/**": {"S"},
        "deploy/**": {"S603", "S607"},
    }


def test_every_security_rule_that_is_silenced_says_why() -> None:
    silenced = [
        (path.relative_to(CHECKOUT), found["why"])
        for path in files(*RUNS)
        if path.suffix == ".py"
        for found in SILENCED.finditer(path.read_text(encoding="utf-8"))
    ]

    assert silenced
    assert [place for place, why in silenced if not re.match(r" +(-|#) \S", why)] == []


def test_no_statement_of_ours_stands_in_the_databases_log() -> None:
    """In containers as on one's own machine: a statement that fails could carry a password or a sealed key."""
    compose = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    told = dict(one.removeprefix("-c").split("=") for one in compose["services"]["postgres"]["command"] if "=" in one)
    quiet = ("log_min_error_statement", "log_parameter_max_length_on_error")

    assert {name: told.get(name) for name in quiet} == {name: SETTINGS[name] for name in quiet}
    assert [SETTINGS[name] for name in quiet] == ["panic", "0"]


@pytest.mark.parametrize(
    "planted",
    [
        f'PLATFORM_TOKEN = "{token()}"',
        f"ISSUER_SEALING_KEYS={ring_key('seal-1')}",
        f'{{"password": "{token()}"}}',
        f"{'-' * 5}BEGIN EC PRIVATE KEY{'-' * 5}",
    ],
    ids=["a token", "a ring", "a password", "a private key"],
)
def test_a_secret_would_be_seen(planted: str) -> None:
    assert SECRET.search(planted)


def test_no_secret_lies_in_the_repository() -> None:
    """Tests make theirs as they run; what is published holds examples, which are short."""
    found = [
        f"{path.relative_to(CHECKOUT)}: {one[0][:24]}…"
        for path in files()
        if path.stat().st_size < TEXT_BYTES_MAX
        for one in SECRET.finditer(path.read_bytes().decode("utf-8", "replace"))
    ]

    assert found == []
