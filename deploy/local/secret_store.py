"""The local stack's secrets: generated once, kept in a file only its owner can read, never printed."""

import base64
import fcntl
import json
import secrets
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from deploy.database import ROLES
from deploy.local.account import private_file


def token() -> str:
    """A password or bearer token: 192 bits, letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(24)


def ring_key(name: str) -> str:
    """One key of a key ring: `name:` and 32 random bytes in base64."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@dataclass(slots=True)
class Secrets:
    """Everything secret about one stack."""

    postgres_superuser: str = field(default_factory=token, repr=False)
    broker_administrator: str = field(default_factory=token, repr=False)
    erlang_cookie: str = field(default_factory=token, repr=False)
    platform_token: str = field(default_factory=token, repr=False)
    sealing_keys: str = field(default_factory=lambda: ring_key("seal-1"), repr=False)
    signing_key: str = field(default_factory=lambda: ring_key("sign-1"), repr=False)
    roles: dict[str, str] = field(default_factory=dict, repr=False)
    broker_users: dict[str, str] = field(default_factory=dict, repr=False)
    portal_tokens: dict[str, str] = field(default_factory=dict, repr=False)
    operator_tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def load_or_make(
        cls, path: Path, broker_users: Iterable[str], portals: Iterable[str], operators: Iterable[str] = ()
    ) -> Self:
        """Read the file, make what it lacks, and write it back if anything was made; one process at a time does so."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return cls._load_or_make(path, broker_users, portals, operators)

    @classmethod
    def _load_or_make(
        cls, path: Path, broker_users: Iterable[str], portals: Iterable[str], operators: Iterable[str]
    ) -> Self:
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        # What is made goes into copies, or the comparison below would find nothing new.
        found = cls(**deepcopy(known))
        holders = (
            (ROLES, found.roles),
            (broker_users, found.broker_users),
            (portals, found.portal_tokens),
            (operators, found.operator_tokens),
        )
        for names, holder in holders:
            for name in names:
                holder.setdefault(name, token())
        if asdict(found) != known:
            private_file(path, json.dumps(asdict(found), indent=1))
        return found
