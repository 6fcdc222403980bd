"""The database's roles and schemas: one owner who migrates, one role per service that sees its own schema only."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from deploy.places import CHECKOUT
from shared.errors import Misconfigured
from shared.topology import SERVICES

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

OWNER: Final = "hosho_owner"
LOCK_TIMEOUT_S: Final = 3
"""A migration that must wait longer for a table gives up and is tried at a quieter moment; it must not stop traffic."""

SCRAM_ITERATIONS: Final = 4096
_PREPARE_LOCK: Final = 0x484F_5348_4F01
_MIGRATE_LOCK: Final = 0x484F_5348_4F02
_TEMPLATE_LOCK: Final = 0x484F_5348_4F03
_MAINTENANCE_LOCK: Final = 0x484F_5348_4F04

MAINTENANCE: Final = ("postgres", "template1")
"""The databases that every server has and that everybody may connect to by default; template0 lets nobody in."""

_OPEN_TO_ALL: Final = """
    select datname from pg_database
     where datname = any($1::text[]) and has_database_privilege('public', datname, 'connect')
"""


_INSERT_ONLY: Final = """
    select relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = $1 and relkind = 'r' and obj_description(pg_class.oid, 'pg_class') like 'insert only:%'
"""
"""Tables whose comment begins with these words can be added to by their service, and nothing else."""


class MigrationChanged(Misconfigured):
    """An applied migration no longer has the text it had; put the old text back and write a new migration."""


class MigrationUnmarked(Misconfigured):
    """A migration's first line must be `-- expand: why` or `-- contract: why`; write it."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file; `name` is how it is recorded, as `shared/0001_delivery.sql`."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The digest by which a later change of an applied file is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def role_of(service: str) -> str:
    """The login role of a service."""
    return f"hosho_{service}"


ROLES: Final = (OWNER, *map(role_of, SERVICES))


def with_database(url: str, database: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def with_user(url: str, user: str, password: str) -> str:
    """The same server and path, another user."""
    parts = urlsplit(url)
    who = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}"))


def migrations_of(service: str, checkout: Path = CHECKOUT) -> list[Migration]:
    """What a service's schema is made by: the shared files first, then its own, each in the order of the names.

    Raises:
        MigrationUnmarked: naming the file.
    """
    found: list[Migration] = []
    for origin, folder in (("shared", checkout / "shared"), (service, checkout / "services" / service)):
        for path in sorted((folder / "migrations").glob("*.sql")):
            sql = path.read_text(encoding="utf-8")
            if not sql.startswith(("-- expand: ", "-- contract: ")):
                raise MigrationUnmarked(
                    f"{path.relative_to(checkout)}: the first line must be `-- expand: why` or `-- contract: why`."
                )
            found.append(Migration(f"{origin}/{path.name}", sql))
    return found


def scram_verifier(password: str, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier of a password (RFC 5803), so that the server never gets the password to log."""
    salt = salt or secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    client = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, client, server)]
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["Connection"]:
    """A connection for the length of a block."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def prepare(superuser_url: str, database: str, role_passwords: Mapping[str, str]) -> None:
    """Make the roles and an empty database owned by the owner role; what is there already stays.

    Safe when several run it at once: an advisory lock on the maintenance database makes them take turns.

    Raises:
        Misconfigured: if a role is missing and no password for it is given.
    """
    async with connected(superuser_url) as connection:
        await connection.execute("select pg_advisory_lock($1)", _PREPARE_LOCK)
        for role in ROLES:
            await _ensure_role(connection, role, role_passwords.get(role))
        await _close_maintenance(connection)
        if not await connection.fetchval("select true from pg_database where datname = $1", database):
            await connection.execute(f'create database "{database}" owner {OWNER}')
    async with connected(with_database(superuser_url, database)) as connection:
        await _close_to_strangers(connection, database)


async def make_template(superuser_url: str, template: str, role_passwords: Mapping[str, str]) -> None:
    """Make a prepared and migrated database for `create_from`, unless it is there; one at a time does it.

    It gets its name last, so a database of that name is always whole.
    """
    unfinished = f"{template}_unfinished"
    async with connected(superuser_url) as connection:
        await connection.execute("select pg_advisory_lock($1)", _TEMPLATE_LOCK)
        await _close_maintenance(connection)
        if await connection.fetchval("select true from pg_database where datname = $1", template):
            return
        await connection.execute(f'drop database if exists "{unfinished}" with (force)')
        await prepare(superuser_url, unfinished, role_passwords)
        await migrate(with_user(with_database(superuser_url, unfinished), OWNER, role_passwords[OWNER]))
        await connection.execute(f'alter database "{unfinished}" rename to "{template}"')


async def create_from(superuser_url: str, database: str, template: str) -> None:
    """Copy a prepared and migrated database; nobody may be connected to the template."""
    async with connected(superuser_url) as connection:
        await connection.execute("select pg_advisory_lock($1)", _PREPARE_LOCK)
        await connection.execute(f'create database "{database}" template "{template}" owner {OWNER}')
    async with connected(with_database(superuser_url, database)) as connection:
        await _close_to_strangers(connection, database)


async def drop(superuser_url: str, database: str) -> None:
    """Drop a database, whoever is still connected to it."""
    async with connected(superuser_url) as connection:
        await connection.execute(f'drop database if exists "{database}" with (force)')


async def _ensure_role(connection: "Connection", role: str, password: str | None) -> None:
    known = await connection.fetchval("select rolpassword from pg_authid where rolname = $1", role)
    if password is None:
        if known is None:
            raise Misconfigured(f"The role {role} needs a password; give one and prepare the database again.")
        return
    if known is not None and known.startswith("SCRAM-SHA-256$"):
        salt = base64.b64decode(known.split("$")[1].partition(":")[2])
        if scram_verifier(password, salt) == known:
            return
    verb = "alter" if await connection.fetchval("select true from pg_roles where rolname = $1", role) else "create"
    await connection.execute(
        f"{verb} role {role} with login nosuperuser nocreatedb nocreaterole noinherit"
        f" password '{scram_verifier(password)}'"
    )


async def _close_maintenance(connection: "Connection") -> None:
    """Let nobody into the server's own databases who was not let in by name: by default everybody may connect there.

    Nothing of ours lies in them; but whoever has a service's password would have a place to look at the server from.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _MAINTENANCE_LOCK)
        for row in await connection.fetch(_OPEN_TO_ALL, list(MAINTENANCE)):
            await connection.execute(f'revoke connect, temporary on database "{row["datname"]}" from public')


async def _close_to_strangers(connection: "Connection", database: str) -> None:
    roles = ", ".join(map(role_of, SERVICES))
    await connection.execute(
        f"""
        revoke all on database "{database}" from public;
        grant connect on database "{database}" to {roles};
        revoke all on schema public from public;
        revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;
        """
    )


async def migrate(owner_url: str, services: Sequence[str] = SERVICES, checkout: Path = CHECKOUT) -> list[str]:
    """Bring every service's schema to what the files say; returns `<schema>: <file>` of what was applied now.

    Raises:
        MigrationChanged: if an applied file was edited.
        asyncpg.LockNotAvailableError: if a table was in use for longer than `LOCK_TIMEOUT_S`; try again later.
    """
    applied: list[str] = []
    async with connected(owner_url) as connection:
        await connection.execute("select pg_advisory_lock($1)", _MIGRATE_LOCK)
        await connection.execute(f"set lock_timeout = '{LOCK_TIMEOUT_S}s'")
        for service in services:
            applied += [f"{service}: {name}" for name in await _migrate_schema(connection, service, checkout)]
    return applied


async def _migrate_schema(connection: "Connection", service: str, checkout: Path) -> list[str]:
    await connection.execute(
        f"""
        create schema if not exists {service};
        set search_path = {service};
        create table if not exists schema_migration (
            name       text        primary key,
            applied_at timestamptz not null default now(),
            sha256     text        not null
        );
        """
    )
    known = {row["name"]: row["sha256"] for row in await connection.fetch("select name, sha256 from schema_migration")}
    fresh: list[str] = []
    for migration in migrations_of(service, checkout):
        if migration.name not in known:
            async with connection.transaction():
                await connection.execute(migration.sql)
                await connection.execute(
                    "insert into schema_migration (name, sha256) values ($1, $2)", migration.name, migration.sha256
                )
            fresh.append(migration.name)
        elif known[migration.name] != migration.sha256:
            raise MigrationChanged(
                f"{migration.name} was changed after it was applied to schema {service};"
                " put the old text back and write a new migration."
            )
    await connection.execute(
        f"""
        revoke all on schema {service} from public;
        grant usage on schema {service} to {role_of(service)};
        grant select, insert, update, delete on all tables in schema {service} to {role_of(service)};
        grant usage on all sequences in schema {service} to {role_of(service)};
        revoke insert, update, delete on schema_migration from {role_of(service)};
        """
    )
    for row in await connection.fetch(_INSERT_ONLY, service):
        await connection.execute(f"revoke update, delete on {service}.{row['relname']} from {role_of(service)}")
    return fresh
