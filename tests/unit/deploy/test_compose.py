"""The Compose file says the same as the services' settings, opens nothing to the network, and holds no secret.

It is checked against the official Compose schema, and against one of our own that is stricter: a key that is not
listed here is a mistake.
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic_settings import BaseSettings

from deploy import compose
from deploy.places import CHECKOUT, PORTALS_FILE
from deploy.portals import plan_for
from shared.portals import Portals
from shared.topology import SERVICES

TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
DURATION = {"type": "string", "pattern": r"^\d+(ms|s|m)$"}
SERVICE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "image": {"type": "string"},
        "build": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"context": {"const": "."}, "dockerfile": {"type": "string"}},
        },
        "command": TEXTS,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^127\.0\.0\.1:\d+:\d+$"}},
        "volumes": TEXTS,
        "tmpfs": TEXTS,
        "cap_drop": TEXTS,
        "security_opt": TEXTS,
        "read_only": {"type": "boolean"},
        "init": {"type": "boolean"},
        "hostname": {"type": "string"},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "shm_size": {"type": "string", "pattern": r"^\d+(kb|mb|gb)$"},
        "stop_grace_period": DURATION,
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "required": ["test", "interval", "timeout", "retries"],
            "properties": {
                "test": {"type": "array", "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}], "minItems": 2},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer"},
            },
        },
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {
                    "condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
                },
            },
        },
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "services", "volumes"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {
            "type": "object",
            "additionalProperties": False,
            "patternProperties": {"^[a-zA-Z0-9._-]+$": SERVICE_SCHEMA},
        },
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
    },
}
SIMULATORS = {"platform": "PLATFORM_SIM_", "mailbox": "MAILBOX_", "portal": "PORTAL_SIM_", "core": "CORE_SIM_"}
ONE_SHOTS = ("migrate", "topology")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The Compose file as Compose reads it."""
    loaded: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_the_official_compose_schema_accepts_the_file() -> None:
    """The schema is the one of the Compose Specification, as check-jsonschema carries it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run(
        [*command, str(CHECKOUT / "docker-compose.yml")], check=False, capture_output=True, text=True
    )

    assert checked.returncode == 0, checked.stdout


def test_is_a_compose_file(document: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(document, SCHEMA)


def test_every_service_and_simulator_is_there(document: dict[str, Any]) -> None:
    wanted = {*SERVICES, *(f"{name}-simulator" for name in SIMULATORS), *ONE_SHOTS, "postgres", "rabbitmq"}

    assert set(document["services"]) == wanted


def test_what_is_waited_for_exists_and_says_when_it_is_ready(document: dict[str, Any]) -> None:
    services = document["services"]
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in services, name
            assert (wait["condition"] == "service_healthy") == ("healthcheck" in services[other]), (name, other)
        assert ("healthcheck" in service) == (name not in ONE_SHOTS), name


def test_named_volumes_are_declared_and_used(document: dict[str, Any]) -> None:
    used = {
        source
        for service in document["services"].values()
        for volume in service.get("volumes", ())
        if not (source := volume.partition(":")[0]).startswith(".")
    }

    assert used == set(document["volumes"])


def test_our_containers_cannot_write_to_themselves(document: dict[str, Any]) -> None:
    ours = [service for service in document["services"].values() if service["image"] == "hosho:local"]

    assert len(ours) == len(SERVICES) + len(SIMULATORS) + len(ONE_SHOTS)
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in ours)


def test_no_port_is_published_twice(document: dict[str, Any]) -> None:
    ports = [port.split(":")[1] for service in document["services"].values() for port in service.get("ports", ())]

    assert len(ports) == len(set(ports))


def test_every_secret_comes_from_the_env_file(document: dict[str, Any]) -> None:
    """A variable without a default must be one that `hosho secrets` writes."""
    text = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
    bare = set(re.findall(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}", text))
    written = {name for name, _ in compose.secret_names()}

    assert bare <= written
    assert not re.search(r"://[^/\s:]+:(?!\$\{)[^@\s]+@", text), "a password stands in an address"


def test_topology_gets_a_password_for_every_user(document: dict[str, Any]) -> None:
    users = {rights.user.upper().replace("-", "_") for rights in plan_for(PORTALS_FILE).rights}
    given = document["services"]["topology"]["environment"]

    assert {f"HOSHO_BROKER_PASSWORD_{user}" for user in users} <= set(given)


@pytest.mark.parametrize(
    ("container", "module", "prefix"),
    [
        *((name, f"services.{name}.settings", f"{name.upper()}_") for name in SERVICES),
        *((f"{name}-simulator", f"simulators.{name}.settings", prefix) for name, prefix in SIMULATORS.items()),
    ],
)
def test_the_environment_is_what_the_settings_ask_for(
    document: dict[str, Any], container: str, module: str, prefix: str
) -> None:
    """Every required setting is given, and nothing is given that no setting reads."""
    settings = _settings_of(module)
    fields = {prefix + name.upper(): field for name, field in settings.model_fields.items()}
    given = set(document["services"][container]["environment"])

    assert given <= set(fields)
    assert {name for name, field in fields.items() if field.is_required()} <= given


def test_secrets_are_written_once_and_stay(tmp_path: Path) -> None:
    made = compose.write_secrets(tmp_path)
    env = (tmp_path / compose.ENV_FILE).read_text(encoding="utf-8")

    assert made == len(list(compose.secret_names()))
    assert (tmp_path / compose.ENV_FILE).stat().st_mode & 0o777 == 0o600
    assert compose.write_secrets(tmp_path) == 0
    assert (tmp_path / compose.ENV_FILE).read_text(encoding="utf-8") == env


def test_the_portals_copy_knows_the_tokens_of_the_env_file(tmp_path: Path) -> None:
    compose.write_secrets(tmp_path)
    env = dict(line.split("=", 1) for line in (tmp_path / compose.ENV_FILE).read_text().splitlines())
    portals = Portals.load(tmp_path / compose.PORTALS_COPY)

    found = portals.by_token(env["HOSHO_PORTAL_TOKEN_PORTAL_B"])

    assert found is not None
    assert found.id == "portal-b"


def _settings_of(module: str) -> type[BaseSettings]:
    found = [
        value
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, type) and issubclass(value, BaseSettings) and value.__module__ == module
    ]
    assert len(found) == 1, module
    return found[0]
