"""Each service's passport, the docstring that opens its `app.py`, against what the code really does.

A passport has five headings, each followed by what is true under it, or by "nothing". Messages are told by their noun
(`certificate_created`) or full type, errands and tables by their names. The comparison goes both ways: what the code
does must be told, and what is told must be done. `Outside` is told in words; only whether there is any is compared.
"""

import ast
import base64
import importlib
import inspect
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from shared.messages import Message
from shared.service import Service
from shared.topology import SERVICES, noun_of

ROOT: Final = Path(__file__).parents[2]
HEADINGS: Final = ("Hears", "Announces", "On its clock", "Owns", "Outside")

_KEY: Final = "k1:" + base64.b64encode(bytes(32)).decode()
_SETTINGS: Final = {
    "DATABASE_URL": "postgresql://role:password@127.0.0.1:5432/hosho",
    "BROKER_URL": "amqp://user:password@127.0.0.1:5672/hosho",
    "HTTP_PORT": "8000",
    "PORTALS_FILE": str(ROOT / "deploy" / "portals.toml"),
    "OBLIGEES_FILE": str(ROOT / "deploy" / "obligees.toml"),
    "SEALING_KEYS": _KEY,
    "SIGNING_KEY": _KEY,
    "CONCLUSION": "automatic",
    "GUARANTOR_NAME": "○○建設業保証株式会社",
    "PLATFORM_URL": "http://127.0.0.1:8001",
    "PLATFORM_TOKEN": "token",
    "SMTP_HOST": "127.0.0.1",
    "SMTP_PORT": "2525",
    "MAIL_FROM": "hosho@guarantor.example",
}


@dataclass(frozen=True)
class Facts:
    """What a service does: by heading, the names that its passport must tell, and whether it calls outside."""

    told_under: Mapping[str, AbstractSet[str]]
    calls_outside: bool


@dataclass(frozen=True)
class Known:
    """Every name that could stand under a heading, of any service; anything of it that is not true is a breach."""

    names: Mapping[str, AbstractSet[str]]


def sections(passport: str) -> dict[str, str]:
    """Take a passport apart at its headings, which stand alone on a line or before a colon."""
    found: dict[str, str] = {}
    heading = ""
    for line in passport.splitlines():
        start = re.fullmatch(rf"({'|'.join(HEADINGS)})(?::\s*(.*)|\s*)", line)
        if start:
            heading = start[1]
            found[heading] = start[2] or ""
        elif heading:
            found[heading] += f"\n{line}"
    return found


def mentions(text: str, name: str) -> bool:
    """Tell whether a name stands in a text as a whole, `application_submitted` also as `application.submitted`."""
    return re.search(rf"(?<![a-z_]){name.replace('_', '[._]')}(?![a-z_])", text) is not None


def breaches(passport: str, facts: Facts, known: Known) -> list[str]:
    """Compare a passport with the facts, both ways; the sentences tell what to mend in it."""
    told = sections(passport)
    wrong = [f"has no heading {heading!r}" for heading in HEADINGS if not told.get(heading, "").strip()]
    if wrong or list(told) != list(HEADINGS):
        return [*wrong, f"the headings are {', '.join(HEADINGS)}, in this order"]
    for heading, names in facts.told_under.items():
        text = told[heading]
        wrong += [f"{heading}: {name} is missing" for name in sorted(names) if not mentions(text, name)]
        others = known.names.get(heading, set()) - names
        wrong += [f"{heading}: {name} is told and not so" for name in sorted(others) if mentions(text, name)]
        if not names and not mentions(text, "nothing"):
            wrong.append(f'{heading}: must say "nothing"')
    if facts.calls_outside == mentions(told["Outside"], "nothing"):
        wrong.append(f"Outside: there {'is an' if facts.calls_outside else 'is no'} edge.py")
    return wrong


def _sources(service: str) -> Iterable[Path]:
    return (ROOT / "services" / service).rglob("*.py")


def _messages(service: str) -> dict[str, type[Message]]:
    """Every message a service can announce, by the name of its class."""
    if not (ROOT / "shared" / "messages" / f"{service}.py").exists():
        return {}
    module = importlib.import_module(f"shared.messages.{service}")
    classes = inspect.getmembers(module, inspect.isclass)
    return {name: kind for name, kind in classes if issubclass(kind, Message) and kind.__module__ == module.__name__}


def _announced(service: str) -> set[type[Message]]:
    """The messages of its own that a service's code names anywhere but in its table."""
    own = _messages(service)
    named: set[str] = set()
    for path in _sources(service):
        if path.name != "app.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                named |= {node.id} if isinstance(node, ast.Name) else set()
                named |= {node.attr} if isinstance(node, ast.Attribute) else set()
    return {kind for name, kind in own.items() if name in named}


def _tables(service: str) -> set[str]:
    files = (ROOT / "services" / service / "migrations").glob("*.sql")
    return {
        name for file in files for name in re.findall(r"(?im)^create table (\w+)", file.read_text(encoding="utf-8"))
    }


def _build(service: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    for name, value in _SETTINGS.items():
        monkeypatch.setenv(f"{service.upper()}_{name}", value)
    built = importlib.import_module(f"services.{service}.app").build_app()
    assert isinstance(built, Service)
    return built


def _facts(service: str, built: Service) -> Facts:
    doors = {door.queue.split(".")[1] for door in built.doors}
    return Facts(
        told_under={
            "Hears": {noun_of(row.message.TYPE) for row in built.hears} | doors,
            "Announces": {noun_of(kind.TYPE) for kind in _announced(service)},
            "On its clock": {errand.name for errand in built.errands} | {prune.__name__ for prune in built.prunes},
            "Owns": _tables(service),
        },
        calls_outside=any(path.stem == "edge" or path.parent.name == "edge" for path in _sources(service)),
    )


def _known() -> Known:
    nouns = {noun_of(kind.TYPE) for service in (*SERVICES, "core") for kind in _messages(service).values()}
    tables = {name for service in SERVICES for name in _tables(service)}
    return Known({"Hears": nouns, "Announces": nouns, "Owns": tables})


@pytest.mark.parametrize("service", SERVICES)
def test_passport_tells_what_the_code_does(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    built = _build(service, monkeypatch)
    passport = inspect.getdoc(importlib.import_module(f"services.{service}.app")) or ""
    wrong = breaches(passport, _facts(service, built), _known())

    assert not wrong, f"services/{service}/app.py\n" + "\n".join(wrong)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_names_itself_and_every_message_it_announces(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    built = _build(service, monkeypatch)

    assert built.name == service
    assert {kind.TYPE for kind in built.announces} == {kind.TYPE for kind in _announced(service)}


GOOD: Final = """issuer: makes certificates.

Hears
    intake.application_accepted.v1: becomes guarantees
Announces
    certificate_created
On its clock: post
Owns
    guarantee, version_of_guarantee
Outside
    the platform
"""
FACTS: Final = Facts(
    told_under={
        "Hears": {"application_accepted"},
        "Announces": {"certificate_created"},
        "On its clock": {"post"},
        "Owns": {"guarantee", "version_of_guarantee"},
    },
    calls_outside=True,
)
KNOWN: Final = Known({"Hears": {"application_accepted", "mail_sent"}, "Owns": {"guarantee", "mail"}})


def test_the_comparison_finds_nothing_in_a_true_passport() -> None:
    assert breaches(GOOD, FACTS, KNOWN) == []


@pytest.mark.parametrize(
    ("true", "untrue", "said"),
    [
        ("intake.application_accepted.v1", "change_accepted", "Hears: application_accepted is missing"),
        ("becomes", "mail.sent becomes", "Hears: mail_sent is told and not so"),
        ("certificate_created", "certificate_created_too", "Announces: certificate_created is missing"),
        ("guarantee, version", "version", "Owns: guarantee is missing"),
        ("guarantee, version", "guarantee, mail, version", "Owns: mail is told and not so"),
        ("the platform", "nothing", "Outside: there is an edge.py"),
        ("Outside\n    the platform\n", "", "has no heading 'Outside'"),
        ("On its clock: post", "On its clock:", "has no heading 'On its clock'"),
    ],
)
def test_the_comparison_finds_what_is_not_so(true: str, untrue: str, said: str) -> None:
    assert said in breaches(GOOD.replace(true, untrue), FACTS, KNOWN)


def test_where_there_is_nothing_the_passport_says_so() -> None:
    idle = replace(FACTS, told_under={**FACTS.told_under, "On its clock": set()}, calls_outside=False)
    silent = GOOD.replace("the platform", "nothing")

    assert breaches(silent, idle, KNOWN) == ['On its clock: must say "nothing"']
    assert breaches(silent.replace("clock: post", "clock: nothing"), idle, KNOWN) == []
