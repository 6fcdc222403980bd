"""Each database role tries everything it must not do on the migrated database, and is refused every time.

Every attempt runs in a transaction that is rolled back, so one that succeeds does no harm but to its test.
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest
from yarl import URL

from deploy import database
from deploy.database import OWNER, role_of
from shared.topology import SERVICES
from tests.conftest import Servers

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]

FORBIDDEN: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.CantChangeRuntimeParamError,
)

READ_AND_WRITTEN: Final = {
    "read": "select * from {table} limit 1",
    "add to": "insert into {table} default values",
    "delete from": "delete from {table}",
    "empty": "truncate {table} cascade",
    "lock": "lock table {table} in access exclusive mode",
    "read by copying": "copy (select * from {table}) to stdout",
}
"""What one does with rows."""

SHAPED: Final = {
    "drop": "drop table {table} cascade",
    "widen": "alter table {table} add column mine text",
    "rename": "alter table {table} rename to mine",
    "own": "alter table {table} owner to current_user",
    "index": "create index on {table} ((1))",
    "comment on": "comment on table {table} is 'mine'",
    "watch": "create trigger mine after insert on {table} execute function suppress_redundant_updates_trigger()",
    "rewrite": "create rule mine as on insert to {table} do instead nothing",
}
"""What changes a table; no service may do so to any, its own included."""

ALONE: Final = {
    "make a database": "create database mine",
    "drop a database": "drop database template1",
    "change the server": "alter system set log_statement = 'all'",
    "make a tablespace": "create tablespace mine location '/tmp'",
}
"""What the server lets nobody try inside a transaction."""

OF_THE_SERVER: Final = {
    "become superuser": "alter role current_user superuser",
    "make a superuser": "create role mine superuser login",
    "make a role": "create role mine",
    "be the owner": f"set role {OWNER}",
    "be the superuser": "set role postgres",
    "be another session": f"set session authorization {OWNER}",
    "change another's password": f"alter role {OWNER} password 'mine'",
    "make a schema": "create schema mine",
    "make a table in public": "create table public.mine ()",
    "make a temporary table": "create temporary table mine ()",
    "make a function": "create function public.mine() returns int language sql as 'select 1'",
    "load a module": "load 'plpython3'",
    "add an extension": "create extension dblink schema {schema}",
    "read password hashes": "select rolpassword from pg_authid",
    "read a file": "select pg_read_file('postgresql.conf')",
    "list a folder": "select pg_ls_dir('.')",
    "list the log of changes": "select pg_ls_waldir()",
    "copy from a file": "create temporary table mine (line text); copy mine from '/etc/hostname'",
    "copy to a file": "copy (select 1) to '/tmp/mine'",
    "run a program": "copy (select 1) to program 'cat'",
    "import a large object": "select lo_import('/etc/hostname')",
    "make a large object": "select lo_create(0)",
    "make a large object of bytes": "select lo_from_bytea(0, 'mine')",
    "change the database": "alter database {database} set search_path = public",
    "read a setting of the server's": "select setting from pg_file_settings",
    "reload": "select pg_reload_conf()",
    "turn the log of changes": "select pg_switch_wal()",
    "replicate": "select pg_create_physical_replication_slot('mine')",
    "publish everything": "create publication mine for all tables",
    "switch triggers off": "set session_replication_role = replica",
    "log less": "set log_statement = 'none'",
    "checkpoint": "checkpoint",
    "make an event trigger": "create event trigger mine on ddl_command_end execute function suppress_redundant()",
}


KEPT: Final = {"ops": {"ops.journal_entry", "ops.journal_batch"}, "issuer": {"issuer.auth_key_reveal"}}
"""Tables from which nobody may take anything back, by service."""


@pytest.fixture
async def tables(stack: Servers) -> dict[str, list[str]]:
    """The tables of every service, by service."""
    async with database.connected(stack.owner_url) as owner:
        found = await owner.fetch("select schemaname, tablename from pg_tables where schemaname = any($1)", SERVICES)
    told = {
        service: [f"{service}.{row['tablename']}" for row in found if row["schemaname"] == service]
        for service in SERVICES
    }
    assert all(told.values())
    return told


@pytest.fixture(params=SERVICES)
async def session(request: pytest.FixtureRequest, stack: Servers) -> AsyncIterator[tuple[str, "Connection"]]:
    """Each service's role in turn, connected."""
    connection = await asyncpg.connect(stack.database_url(request.param))
    yield request.param, connection
    await connection.close()


async def _refused(connection: "Connection", statement: str, what: str) -> None:
    attempt = connection.transaction()
    await attempt.start()
    try:
        await _refused_alone(connection, statement, what)
    finally:
        await attempt.rollback()


async def _refused_alone(connection: "Connection", statement: str, what: str) -> None:
    try:
        await connection.execute(statement)
    except FORBIDDEN:
        return
    except asyncpg.PostgresError as error:
        raise AssertionError(f"{what} was not refused as forbidden, but failed: {error!r}") from error
    raise AssertionError(f"{what} was not refused")


def _owner_of(table: str) -> str:
    return table.partition(".")[0]


async def test_nobody_touches_a_row_of_another(session: tuple[str, "Connection"], tables: dict[str, list[str]]) -> None:
    service, connection = session
    for table in (name for other in SERVICES if other != service for name in tables[other]):
        for what, statement in READ_AND_WRITTEN.items():
            await _refused(connection, statement.format(table=table), f"{service}: {what} {table}")


async def test_nobody_reshapes_a_table_not_even_its_own(
    session: tuple[str, "Connection"], tables: dict[str, list[str]]
) -> None:
    service, connection = session
    for table in (name for names in tables.values() for name in names):
        for what, statement in SHAPED.items():
            await _refused(connection, statement.format(table=table), f"{service}: {what} {table}")


async def test_nobody_gives_away_what_it_may_do(
    session: tuple[str, "Connection"], tables: dict[str, list[str]]
) -> None:
    """The server warns instead of refusing, so what counts is that the rights stay as they were."""
    service, connection = session
    rights = "select relacl::text from pg_class where oid = $1::text::regclass"
    async with connection.transaction():
        for table in tables[service]:
            before = await connection.fetchval(rights, table)
            await connection.execute(f"grant all on {table} to public")

            assert await connection.fetchval(rights, table) == before


async def test_nobody_leaves_its_schema_or_rises(session: tuple[str, "Connection"], stack: Servers) -> None:
    service, connection = session
    for what, statement in OF_THE_SERVER.items():
        await _refused(connection, statement.format(database=stack.database, schema=service), f"{service}: {what}")
    for what, statement in ALONE.items():
        await _refused_alone(connection, statement, f"{service}: {what}")
    for schema in SERVICES:
        await _refused(connection, f"create table {schema}.mine ()", f"{service}: make a table in {schema}")
        await _refused(connection, f"drop schema {schema} cascade", f"{service}: drop {schema}")


async def test_what_may_only_be_added_to_is_not_edited_by_its_own_service(
    session: tuple[str, "Connection"], stack: Servers
) -> None:
    service, connection = session
    async with database.connected(stack.owner_url) as owner:
        found = await owner.fetch(database._INSERT_ONLY, service)
    kept = [f"{service}.{row['relname']}" for row in found]
    assert KEPT.get(service, set()) <= set(kept)
    for table in kept:
        await _refused(connection, f"delete from {table}", f"{service}: delete from {table}")
        await _refused(connection, f"truncate {table}", f"{service}: empty {table}")
        columns = await connection.fetch(
            "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0", table
        )
        for (column,) in columns:
            await _refused(connection, f"update {table} set {column} = default", f"{service}: edit {table}.{column}")


async def test_nobody_rewrites_the_record_of_migrations(session: tuple[str, "Connection"]) -> None:
    service, connection = session
    for statement in ("delete from", "update", "insert into"):
        rest = {"update": " set sha256 = ''", "insert into": " (name, sha256) values ('mine', '')"}.get(statement, "")
        await _refused(connection, f"{statement} {service}.schema_migration{rest}", f"{service}: {statement}")


async def test_nobody_ends_or_reads_the_session_of_another(session: tuple[str, "Connection"], stack: Servers) -> None:
    service, connection = session
    other = next(name for name in SERVICES if name != service)
    victim = await asyncpg.connect(stack.database_url(other))
    try:
        pid = victim.get_server_pid()
        await _refused(connection, f"select pg_terminate_backend({pid})", f"{service}: end a session of {other}")
        await _refused(connection, f"select pg_cancel_backend({pid})", f"{service}: cancel a query of {other}")
        shown = await connection.fetchval("select query from pg_stat_activity where pid = $1", pid)

        assert shown == "<insufficient privilege>"
        assert await victim.fetchval("select 1") == 1
    finally:
        await victim.close()


@pytest.mark.parametrize("maintenance", database.MAINTENANCE)
async def test_nobody_enters_a_database_of_the_server(stack: Servers, maintenance: str) -> None:
    """Everybody may do so by default; the superuser still can."""
    for service in SERVICES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(database.with_database(stack.database_url(service), maintenance))
    async with database.connected(database.with_database(stack.superuser_url, maintenance)) as superuser:
        assert await superuser.fetchval("select current_database()") == maintenance


async def test_the_catalog_shows_a_service_names_and_no_values_of_another(
    session: tuple[str, "Connection"], stack: Servers
) -> None:
    """Statistics hold the most common values of columns; those of one's own are seen, so the looking is not blind."""
    service, connection = session
    async with database.connected(stack.owner_url) as owner:
        for name in SERVICES:
            await owner.execute(f"analyze {name}.schema_migration")
        every = await owner.fetch("select distinct schemaname from pg_stats where schemaname = any($1)", SERVICES)
    seen = await connection.fetch("select distinct schemaname from pg_stats where schemaname = any($1)", SERVICES)

    assert {row["schemaname"] for row in every} == set(SERVICES)
    assert [row["schemaname"] for row in seen] == [service]
    for view in ("pg_statistic", "pg_statistic_ext_data", "pg_largeobject", "pg_user_mapping", "pg_subscription"):
        await _refused(connection, f"select * from pg_catalog.{view} limit 1", f"{service}: read {view}")


async def test_of_anothers_session_a_service_sees_that_it_is_there(
    session: tuple[str, "Connection"], stack: Servers
) -> None:
    """Neither what it does nor from where: only its role, its database and the name it gave itself."""
    service, connection = session
    other = next(name for name in SERVICES if name != service)
    victim = await asyncpg.connect(stack.database_url(other), server_settings={"application_name": "a victim"})
    try:
        row = await connection.fetchrow("select * from pg_stat_activity where pid = $1", victim.get_server_pid())
    finally:
        await victim.close()
    assert row is not None
    told = {name for name, value in row.items() if value is not None}

    assert told <= {"datid", "datname", "pid", "usesysid", "usename", "application_name", "query"}
    assert row["query"] == "<insufficient privilege>"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_password_opens_for_its_own_role_only(stack: Servers, service: str) -> None:
    own = URL(stack.database_url(service))
    foreign = [OWNER, "postgres", *(role_of(other) for other in SERVICES if other != service)]
    for role in foreign:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(str(own.with_user(role)))
    for guess in ("", "postgres", role_of(service)):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InternalClientError)):
            await asyncpg.connect(str(own.with_password(guess)))


async def test_no_role_of_ours_is_more_than_a_login(stack: Servers) -> None:
    async with database.connected(stack.superuser_url) as superuser:
        roles = await superuser.fetch("select * from pg_roles where rolname = any($1)", list(database.ROLES))
        memberships = await superuser.fetch(
            "select * from pg_auth_members join pg_roles on pg_roles.oid = member where rolname = any($1)",
            list(database.ROLES),
        )

    assert len(roles) == len(SERVICES) + 1
    for role in roles:
        powers = ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls")
        assert not any(role[power] for power in powers), role["rolname"]
    assert not memberships
