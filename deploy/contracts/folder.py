"""The files under `docs/contracts/`: all but the README is written from the code."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from deploy.contracts.asyncapi import asyncapi_documents
from deploy.contracts.catalogue import catalogue_page
from deploy.contracts.messages import published
from deploy.contracts.openapi import openapi_documents
from deploy.contracts.schemas import standing_alone
from deploy.places import CHECKOUT

CONTRACTS: Final = CHECKOUT / "docs" / "contracts"
BY_HAND: Final = frozenset({"README.md"})


def files() -> dict[str, str]:
    """Every file that is written, by its path below the folder."""
    return dict(_files())


def write(folder: Path) -> list[str]:
    """Make the folder hold exactly these files and what is written by hand; tells what changed."""
    wanted, told = files(), list[str]()
    for path in sorted(present(folder) - set(wanted) - BY_HAND):
        (folder / path).unlink()
        told.append(f"removed {path}")
    for path, text in wanted.items():
        file = folder / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            told.append(f"{'changed' if file.exists() else 'added'} {path}")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return told or ["nothing changed"]


def present(folder: Path) -> set[str]:
    """The files that are there, by their paths below the folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _files() -> Iterator[tuple[str, str]]:
    for name, document in asyncapi_documents().items():
        yield f"asyncapi/{name}.json", _json(document)
    for name, document in openapi_documents().items():
        yield f"openapi/{name}.json", _json(document)
    for one in published():
        yield f"schemas/{one.path}.json", _json(standing_alone(one.schema, one.path))
        yield f"examples/{one.path}.json", _json(one.example)
    yield "statuses-and-problems.md", catalogue_page()


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
