"""The operators file: who watches and who acts, with the hashes of their tokens filled in."""

import json
from collections.abc import Mapping
from pathlib import Path

from deploy.places import OPERATORS_FILE
from deploy.portals import token_sha256
from shared.operator_door.operators import Operators


def names(path: Path = OPERATORS_FILE) -> list[str]:
    """Everybody who is listed."""
    return [operator.name for operator in Operators.load(path)]


def scopes(path: Path = OPERATORS_FILE) -> dict[str, str]:
    """What each of them may do: `viewer` looks, `operator` looks and acts."""
    return {operator.name: operator.scope for operator in Operators.load(path)}


def filled(tokens: Mapping[str, str], path: Path = OPERATORS_FILE) -> str:
    """The operators file again, with the hash of each token."""
    lines = ["# Generated; the rows come from deploy/operators.toml."]
    for operator in Operators.load(path):
        hashes = [token_sha256(tokens[operator.name])] if operator.name in tokens else list(operator.token_sha256)
        # JSON strings and arrays of strings are TOML too.
        lines += [
            "\n[[operator]]",
            f"name = {json.dumps(operator.name)}",
            f"scope = {json.dumps(operator.scope)}",
            f"token_sha256 = {json.dumps(hashes)}",
        ]
    return "\n".join(lines) + "\n"
