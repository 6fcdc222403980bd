"""Which processes a stack runs beside its servers, and what each finds in its environment."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.children import Program
from deploy.local.ports import LOOPBACK
from deploy.local.stack import DATABASE, SIMULATORS, VHOST, Stack
from deploy.places import CHECKOUT, OBLIGEES_FILE
from deploy.settings import passed_on
from shared.topology import SERVICES

SIMULATED_PORTAL: Final = "portal-a"
"""The portal whose look-alike runs with the stack; the other one is spoken for by the demo and the tests."""

GUARANTOR_NAME: Final = "○○建設業保証株式会社"
MAIL_FROM: Final = "電子保証 <denshi-hosho@hosho.example>"
ENVELOPE_FROM: Final = "bounces@hosho.example"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a set of programs works: which database and virtual host, on which ports, with files where.

    Attributes:
        ports: one port for each name in `stack.PROGRAM_PORTS`.
        folder: holds logs and what simulators remember.
        conclusion: `automatic`, or `core` when guarantees wait for the core system.
    """

    stack: Stack
    ports: Mapping[str, int]
    folder: Path
    database: str = DATABASE
    vhost: str = VHOST
    conclusion: str = "automatic"

    def url(self, name: str) -> str:
        """A program's HTTP address."""
        return f"http://{LOOPBACK}:{self.ports[name]}"


def simulator(name: str) -> str:
    """A simulator's name among the programs: `platform` → `platform-simulator`."""
    return f"{name}-simulator"


def service_programs(place: Place) -> dict[str, Program]:
    """The five services."""
    return {name: _program(place, name, f"services.{name}", _service_environment(place, name)) for name in SERVICES}


def simulator_programs(place: Place) -> dict[str, Program]:
    """The outside."""
    environments = _simulator_environments(place)
    return {
        simulator(name): _program(place, simulator(name), f"simulators.{name}", environments[name])
        for name in SIMULATORS
    }


def ready_url(place: Place, name: str) -> str:
    """Where a program says whether it is ready."""
    return place.url(name) + ("/readyz" if name in SERVICES else "/livez")


def _program(place: Place, name: str, module: str, environment: Mapping[str, str]) -> Program:
    return Program(
        name=name,
        argv=[sys.executable, "-m", module],
        env={**passed_on(), "PYTHONUNBUFFERED": "1", **environment},
        log=place.folder / "log" / f"{name}.log",
        cwd=CHECKOUT,
    )


def _service_environment(place: Place, name: str) -> dict[str, str]:
    stack, secrets = place.stack, place.stack.secrets
    portals = {"PORTALS_FILE": str(stack.portals_file)}
    own: dict[str, dict[str, str]] = {
        "intake": {**portals, "OBLIGEES_FILE": str(OBLIGEES_FILE)},
        "issuer": {
            **portals,
            "SEALING_KEYS": secrets.sealing_keys,
            "SIGNING_KEY": secrets.signing_key,
            "CONCLUSION": place.conclusion,
            "GUARANTOR_NAME": GUARANTOR_NAME,
            "PLATFORM_PAGE": place.url(simulator("platform")),
        },
        "platform_bridge": {
            "SEALING_KEYS": secrets.sealing_keys,
            "PLATFORM_URL": place.url(simulator("platform")),
            "PLATFORM_TOKEN": secrets.platform_token,
        },
        "notifier": {
            **portals,
            "SMTP_HOST": LOOPBACK,
            "SMTP_PORT": str(place.ports["smtp"]),
            "MAIL_FROM": MAIL_FROM,
            "ENVELOPE_FROM": ENVELOPE_FROM,
        },
        "ops": {
            **portals,
            "DOORS": json.dumps({service: place.url(service) for service in SERVICES}),
            "DOOR_TOKEN": secrets.operator_tokens["ops"],
        },
    }
    settings = {
        "DATABASE_URL": stack.addresses.database_url(name, place.database, secrets),
        "BROKER_URL": stack.addresses.vhost_url(name, place.vhost, secrets),
        "HTTP_HOST": LOOPBACK,
        "HTTP_PORT": str(place.ports[name]),
        "OPERATORS_FILE": str(stack.operators_file),
        **own[name],
    }
    return {f"{name.upper()}_{key}": value for key, value in settings.items()}


def _simulator_environments(place: Place) -> dict[str, dict[str, str]]:
    stack, secrets = place.stack, place.stack.secrets

    def port(name: str) -> str:
        return str(place.ports[simulator(name)])

    return {
        "platform": {
            "PLATFORM_SIM_HOST": LOOPBACK,
            "PLATFORM_SIM_PORT": port("platform"),
            "PLATFORM_SIM_TOKEN": secrets.platform_token,
            "PLATFORM_SIM_STORAGE": str(place.folder / "platform.sqlite"),
            "PLATFORM_SIM_JWKS_URL": place.url("issuer") + "/.well-known/jwks.json",
        },
        "mailbox": {
            "MAILBOX_HOST": LOOPBACK,
            "MAILBOX_HTTP_PORT": port("mailbox"),
            "MAILBOX_SMTP_PORT": str(place.ports["smtp"]),
            "MAILBOX_STORAGE": str(place.folder / "mailbox.sqlite"),
        },
        "portal": {
            "PORTAL_SIM_ID": SIMULATED_PORTAL,
            "PORTAL_SIM_BROKER_URL": stack.addresses.vhost_url(SIMULATED_PORTAL, place.vhost, secrets),
            "PORTAL_SIM_INTAKE_URL": place.url("intake"),
            "PORTAL_SIM_ISSUER_URL": place.url("issuer"),
            "PORTAL_SIM_TOKEN": secrets.portal_tokens[SIMULATED_PORTAL],
            "PORTAL_SIM_HOST": LOOPBACK,
            "PORTAL_SIM_HTTP_PORT": port("portal"),
            "PORTAL_SIM_STORAGE": str(place.folder / "portal.sqlite"),
        },
        "core": {
            "CORE_SIM_HOST": LOOPBACK,
            "CORE_SIM_HTTP_PORT": port("core"),
            "CORE_SIM_BROKER_URL": stack.addresses.vhost_url("core", place.vhost, secrets),
            "CORE_SIM_OFFICE_BROKER_URL": stack.addresses.vhost_url("office", place.vhost, secrets),
            "CORE_SIM_INTAKE_URL": place.url("intake"),
            "CORE_SIM_ISSUER_URL": place.url("issuer"),
            "CORE_SIM_TOKEN": secrets.portal_tokens["office"],
            "CORE_SIM_STORAGE": str(place.folder / "core.sqlite"),
        },
    }
