"""`make sbom`: what this software is made of, as CycloneDX JSON, from the lock and what is installed from it.

Everything the lock names is told: version, licence, the SHA-256 of each file the lock lets in, and what needs it.
`scope` tells what the services and the simulators run on (`required`) from what only checks and measures (`excluded`).
The same lock gives the same bytes, so two of them can be compared.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from deploy.places import BUILD, CHECKOUT

LOCK: Final = CHECKOUT / "requirements.lock"
WISHES: Final = CHECKOUT / "requirements.in"
SBOM: Final = BUILD / "sbom.json"

SPEC_VERSION: Final = "1.6"
LICENCE_NAME_CHARACTERS_MAX: Final = 60
"""Longer ones are the text of a licence, not its name."""

RUNNING: Final = ("# What the services run on.", "# What the local runner and the simulators add.")
"""The sections of requirements.in that are needed to run."""

_PINNED: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+)(?P<rest>.*(?:\n[ #].*)*)", re.MULTILINE
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA: Final = re.compile(r"^ +# +(?:via +)?([A-Za-z0-9._-]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pinned:
    """One entry of the lock: `needed_by` are names, normalised."""

    name: str
    version: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL, by which everything in the list is referred to."""
        return f"pkg:pypi/{self.name}@{self.version}"


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(lock: str) -> list[Pinned]:
    """The entries of a lock, in its order."""
    return [
        Pinned(
            normalised(found["name"]),
            found["version"],
            tuple(_HASH.findall(found["rest"])),
            tuple(normalised(name) for name in _VIA.findall(found["rest"]) if name != "via"),
        )
        for found in _PINNED.finditer(lock)
    ]


def wished(wishes: str) -> dict[str, list[str]]:
    """The direct dependencies by the comment above them, normalised."""
    sections: dict[str, list[str]] = {}
    section = ""
    for line in filter(None, map(str.strip, wishes.splitlines())):
        if line.startswith("#"):
            section = line
        else:
            sections.setdefault(section, []).append(normalised(re.split(r"[\[<>=~! ;]", line)[0]))
    return sections


def licence_of(name: str) -> str | None:
    """The licence an installed distribution names; None if it is not installed here, or names none."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    classified = [
        one.rpartition("::")[2].strip() for one in told.get_all("Classifier") or () if one.startswith("License ::")
    ]
    # Not by subscript, which is to raise for what is missing in later versions of Python.
    named = next(iter(told.get_all("License-Expression") or told.get_all("License") or ()), None)
    if named and len(named) <= LICENCE_NAME_CHARACTERS_MAX and "\n" not in named:
        return str(named)
    return " AND ".join(classified) or None


def needed_to_run(locked: Sequence[Pinned], wishes: Mapping[str, Sequence[str]]) -> set[str]:
    """The names that the running sections lead to, directly or through others."""
    needs: dict[str, set[str]] = {}
    for one in locked:
        for user in one.needed_by:
            needs.setdefault(user, set()).add(one.name)
    found: set[str] = set()
    waiting = [name for section in RUNNING for name in wishes.get(section, ())]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return found


def bill(lock: str, wishes: str, version: str) -> dict[str, Any]:
    """The whole document."""
    locked, running = pinned(lock), needed_to_run(pinned(lock), wished(wishes))
    direct = {name for names in wished(wishes).values() for name in names}
    ours = f"pkg:generic/hosho@{version}"
    refs = {one.name: one.purl for one in locked}
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, lock + wishes + version)}",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "bom-ref": ours, "name": "hosho", "version": version, "purl": ours}
        },
        "components": [_component(one, one.name in running) for one in locked],
        "dependencies": [
            {"ref": ours, "dependsOn": sorted(refs[name] for name in direct)},
            *(
                {"ref": one.purl, "dependsOn": sorted(other.purl for other in locked if one.name in other.needed_by)}
                for one in locked
            ),
        ],
    }


def _component(one: Pinned, runs: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "scope": "required" if runs else "excluded",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in one.hashes],
        "purl": one.purl,
    }
    if licence := licence_of(one.name):
        told["licenses"] = [{"license": {"name": licence}}]
    return told


def write(path: Path = SBOM) -> dict[str, Any]:
    """Write the document of this checkout."""
    made = bill(LOCK.read_text(encoding="utf-8"), WISHES.read_text(encoding="utf-8"), metadata.version("hosho"))
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


if __name__ == "__main__":
    components = write()["components"]
    running = sum(component["scope"] == "required" for component in components)
    print(f"{SBOM.relative_to(CHECKOUT)}: {len(components)} components, {running} of them needed to run")
