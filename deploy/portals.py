"""The portals file: who the plan of the broker is made for, and copies of it with token hashes filled in."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from deploy.places import PORTALS_FILE
from shared.portals import Portals
from shared.topology import Topology, plan

_FIELDS: Final = ("id", "token_sha256", "link_base", "answers", "scope")


def plan_for(path: Path = PORTALS_FILE) -> Topology:
    """The broker's plan for the portals listed in a portals file."""
    return plan((portal.id, portal.answers == "queue") for portal in Portals.load(path))


def token_sha256(token: str) -> str:
    """The hash by which a bearer token is known."""
    return hashlib.sha256(token.encode()).hexdigest()


def filled(path: Path, tokens: Mapping[str, str], link_bases: Mapping[str, str]) -> str:
    """The portals file again, with the hash of each token and, where given, another base for links."""
    return "\n".join(_rows(Portals.load(path), tokens, link_bases))


def _rows(portals: Portals, tokens: Mapping[str, str], link_bases: Mapping[str, str]) -> Iterator[str]:
    yield "# Generated; the rows come from deploy/portals.toml."
    for portal in portals:
        row = portal.model_dump(mode="json")
        if portal.id in tokens:
            row["token_sha256"] = [token_sha256(tokens[portal.id])]
        row["link_base"] = link_bases.get(portal.id, portal.link_base)
        yield "\n[[portal]]"
        # JSON strings and arrays of strings are TOML too.
        yield from (f"{name} = {json.dumps(row[name])}" for name in _FIELDS)
