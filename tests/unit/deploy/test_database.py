"""Passwords as verifiers, addresses, and the rules for migration files."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from deploy import database
from shared.topology import SERVICES


def test_the_verifier_is_the_one_of_the_standard() -> None:
    """The example of RFC 7677, section 3: the server's signature over its messages comes from our server key."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    messages = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"

    verifier = database.scram_verifier("pencil", salt)

    server_key = base64.b64decode(verifier.rpartition(":")[2])
    signature = hmac.digest(server_key, messages.encode(), hashlib.sha256)
    assert verifier.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert base64.b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_two_verifiers_of_one_password_differ() -> None:
    assert database.scram_verifier("same") != database.scram_verifier("same")


def test_addresses_quote_what_a_password_may_hold() -> None:
    url = database.with_user("postgresql://old:gone@127.0.0.1:5432/postgres", "hosho_owner", "a/b@c:d")

    assert url == "postgresql://hosho_owner:a%2Fb%40c%3Ad@127.0.0.1:5432/postgres"
    assert database.with_database(url, "hosho").endswith("@127.0.0.1:5432/hosho")


def test_shared_migrations_come_before_a_services_own(tmp_path: Path) -> None:
    for folder, name in (("services/intake", "0002_b"), ("services/intake", "0001_a"), ("shared", "0009_z")):
        path = tmp_path / folder / "migrations" / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("-- expand: because.\n")

    names = [migration.name for migration in database.migrations_of("intake", tmp_path)]

    assert names == ["shared/0009_z.sql", "intake/0001_a.sql", "intake/0002_b.sql"]


def test_a_migration_that_does_not_say_why_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shared" / "migrations" / "0001_silent.sql"
    path.parent.mkdir(parents=True)
    path.write_text("create table silent ();\n")

    with pytest.raises(database.MigrationUnmarked, match=r"shared/migrations/0001_silent\.sql"):
        database.migrations_of("intake", tmp_path)


def test_every_migration_of_the_project_is_marked() -> None:
    assert all(database.migrations_of(service) for service in SERVICES)
