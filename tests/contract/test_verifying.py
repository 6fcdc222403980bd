"""`hosho verify` proves a certificate offline, and says what of an altered one does not hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import application
from shared.signing import content_sha256, signed_content

EXAMPLES: Final = Path(__file__).parent / "examples"
KEYS: Final = EXAMPLES / "jwks.json"
CERTIFICATE: Final[dict[str, Any]] = json.loads((EXAMPLES / "certificate.json").read_text(encoding="utf-8"))

Alter = Callable[[dict[str, Any]], dict[str, Any]]


def verified(file: Path, keys: Path = KEYS) -> Result:
    """What the command says of a file."""
    return CliRunner().invoke(application, ["verify", str(file), "--keys", str(keys)])


def saved(folder: Path, value: object) -> Path:
    """A value as a file."""
    file = folder / "certificate.json"
    file.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return file


def with_new_digest(certificate: dict[str, Any]) -> dict[str, Any]:
    """A forger who knows how digests are made."""
    return certificate | {"content_sha256": content_sha256(signed_content(certificate))}


def test_the_agreed_certificate_is_genuine() -> None:
    told = verified(EXAMPLES / "certificate.json")

    assert told.exit_code == 0
    assert "genuine: 00000-000001 version 1, signed with example-1" in told.stdout
    assert CERTIFICATE["auth_key"] not in told.output


def test_it_is_as_genuine_without_its_key_and_in_another_order_of_names(tmp_path: Path) -> None:
    names = sorted(set(CERTIFICATE) - {"auth_key"}, reverse=True)

    assert verified(saved(tmp_path, {name: CERTIFICATE[name] for name in names})).exit_code == 0


@pytest.mark.parametrize(
    ("alter", "failing"),
    [
        (lambda one: one | {"amount": 20_000_001}, ("digest", "signature")),
        (lambda one: one | {"added": None}, ("digest", "signature")),
        (lambda one: {name: value for name, value in one.items() if name != "depository"}, ("digest", "signature")),
        (lambda one: with_new_digest(one | {"amount": 20_000_001}), ("signature",)),
        (lambda one: one | {"content_sha256": "0" * 64}, ("digest",)),
        (lambda one: one | {"signature": one["signature"][:-4] + "AAAA"}, ("signature",)),
        (lambda one: one | {"signature": "nothing of the kind"}, ("signature",)),
    ],
)
def test_an_altered_certificate_is_not_genuine_and_it_is_said_why(
    alter: Alter, failing: tuple[str, ...], tmp_path: Path
) -> None:
    told = verified(saved(tmp_path, alter(dict(CERTIFICATE))))

    assert told.exit_code == 1
    assert tuple(word for word in ("digest", "signature") if f"the {word}" in told.output) == failing
    assert CERTIFICATE["auth_key"] not in told.output


@pytest.mark.parametrize("value", [[], "text", {}, {"content_sha256": "0" * 64}, {**CERTIFICATE, "amount": 2**60}])
def test_what_is_no_certificate_cannot_be_judged(value: object, tmp_path: Path) -> None:
    assert verified(saved(tmp_path, value)).exit_code == 2


def test_without_the_key_it_was_signed_with_it_cannot_be_judged(tmp_path: Path) -> None:
    key = json.loads(KEYS.read_text(encoding="utf-8"))["keys"][0]
    told = verified(EXAMPLES / "certificate.json", saved(tmp_path, {"keys": [key | {"kid": "other"}]}))

    assert told.exit_code == 2
    assert "has no key 'example-1'" in told.output


def test_another_key_under_the_same_name_does_not_verify(tmp_path: Path) -> None:
    key = json.loads(KEYS.read_text(encoding="utf-8"))["keys"][0]
    told = verified(EXAMPLES / "certificate.json", saved(tmp_path, {"keys": [key | {"x": "A" * 43}]}))

    assert told.exit_code == 1


@pytest.mark.parametrize("text", [b"\xff", b"{", b'{"version": 1, "version": 2}'])
def test_a_file_that_says_two_things_or_none_cannot_be_judged(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "certificate.json"
    file.write_bytes(text)

    assert verified(file).exit_code == 2
    assert verified(tmp_path / "missing.json").exit_code == 2
