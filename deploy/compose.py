"""What `docker-compose.yml` needs beside itself: secrets in `.env`, and a portals file with their hashes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deploy import operators
from deploy.database import ROLES
from deploy.local.account import private_file
from deploy.local.secret_store import ring_key, token
from deploy.places import PORTALS_FILE
from deploy.portals import filled, plan_for
from deploy.settings import BROKER_PASSWORD_PREFIX, DATABASE_PASSWORD_PREFIX
from shared.portals import Portals

ENV_FILE: Final = ".env"
PORTALS_COPY: Final = ".compose/portals.toml"
OPERATORS_COPY: Final = ".compose/operators.toml"
PORTAL_TOKEN_PREFIX: Final = "HOSHO_PORTAL_TOKEN_"
OPERATOR_TOKEN_PREFIX: Final = "HOSHO_OPERATOR_TOKEN_"

__all__ = ["ENV_FILE", "PORTALS_COPY", "token", "write_secrets"]


def secret_names() -> Iterator[tuple[str, str]]:
    """Every variable of `.env` with what a fresh one would be."""
    yield "HOSHO_POSTGRES_PASSWORD", token()
    yield "HOSHO_RABBITMQ_PASSWORD", token()
    for role in ROLES:
        yield DATABASE_PASSWORD_PREFIX + role.removeprefix("hosho_").upper(), token()
    for rights in plan_for(PORTALS_FILE).rights:
        yield BROKER_PASSWORD_PREFIX + _variable(rights.user), token()
    for portal in Portals.load(PORTALS_FILE):
        yield PORTAL_TOKEN_PREFIX + _variable(portal.id), token()
    for name in operators.names():
        yield OPERATOR_TOKEN_PREFIX + _variable(name), token()
    yield "HOSHO_PLATFORM_TOKEN", token()
    yield "HOSHO_SEALING_KEYS", ring_key("seal-1")
    yield "HOSHO_SIGNING_KEY", ring_key("sign-1")


def write_secrets(folder: Path) -> int:
    """Write what is missing into `.env`, and the files of hashes anew; returns how many secrets were made."""
    path = folder / ENV_FILE
    known = _read(path)
    fresh = {name: value for name, value in secret_names() if name not in known}
    everything = {**known, **fresh}
    if fresh:
        private_file(path, "".join(f"{name}={value}\n" for name, value in everything.items()))
    tokens = {
        portal.id: everything[PORTAL_TOKEN_PREFIX + _variable(portal.id)] for portal in Portals.load(PORTALS_FILE)
    }
    copy = folder / PORTALS_COPY
    copy.parent.mkdir(exist_ok=True)
    # Only hashes stand in it, and the services in the containers are another user.
    copy.write_text(filled(PORTALS_FILE, tokens, {}), encoding="utf-8")
    acting = {name: everything[OPERATOR_TOKEN_PREFIX + _variable(name)] for name in operators.names()}
    (folder / OPERATORS_COPY).write_text(operators.filled(acting), encoding="utf-8")
    return len(fresh)


def _read(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
