"""`hosho database prepare` and `hosho migrate` on a real PostgreSQL: roles, rights, and files that may not change."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from deploy import database
from shared.topology import SERVICES
from tests.conftest import Servers


@pytest.fixture
async def empty(stack: Servers) -> AsyncIterator[str]:
    """The name of a prepared database without any schema."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await database.prepare(stack.superuser_url, name, stack.local.secrets.roles)
    yield name
    await database.drop(stack.superuser_url, name)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one shared migration."""
    path = tmp_path / "shared" / "migrations" / "0001_note.sql"
    path.parent.mkdir(parents=True)
    path.write_text("-- expand: a note.\ncreate table note (id integer generated always as identity, text text);\n")
    return tmp_path


def _owner(stack: Servers, name: str) -> str:
    return stack.local.addresses.owner_url(name, stack.local.secrets)


async def test_migrating_twice_applies_everything_once(stack: Servers, empty: str, checkout: Path) -> None:
    first = await database.migrate(_owner(stack, empty), checkout=checkout)

    assert first == [f"{service}: shared/0001_note.sql" for service in SERVICES]
    assert await database.migrate(_owner(stack, empty), checkout=checkout) == []


async def test_several_may_prepare_and_migrate_at_once(stack: Servers, checkout: Path) -> None:
    name = f"test_{uuid.uuid4().hex[:12]}"
    try:
        await asyncio.gather(
            *(database.prepare(stack.superuser_url, name, stack.local.secrets.roles) for _ in range(3))
        )
        applied = await asyncio.gather(*(database.migrate(_owner(stack, name), checkout=checkout) for _ in range(3)))
    finally:
        await database.drop(stack.superuser_url, name)

    assert sorted(map(len, applied)) == [0, 0, len(SERVICES)]


async def test_an_applied_file_may_not_change(stack: Servers, empty: str, checkout: Path) -> None:
    await database.migrate(_owner(stack, empty), checkout=checkout)
    path = checkout / "shared" / "migrations" / "0001_note.sql"
    path.write_text(path.read_text() + "-- A second thought.\n")

    with pytest.raises(database.MigrationChanged, match=r"shared/0001_note\.sql"):
        await database.migrate(_owner(stack, empty), checkout=checkout)


async def test_a_file_that_fails_leaves_nothing(stack: Servers, empty: str, checkout: Path) -> None:
    path = checkout / "shared" / "migrations" / "0002_wrong.sql"
    path.write_text("-- expand: half of it is wrong.\ncreate table half ();\ncreate table note ();\n")

    with pytest.raises(asyncpg.DuplicateTableError):
        await database.migrate(_owner(stack, empty), checkout=checkout)

    async with database.connected(_owner(stack, empty)) as connection:
        names = [row["name"] for row in await connection.fetch("select name from intake.schema_migration")]
        assert names == ["shared/0001_note.sql"]
        assert await connection.fetchval("select to_regclass('intake.half')") is None


async def test_a_role_writes_its_own_schema_and_sees_no_other(stack: Servers, empty: str, checkout: Path) -> None:
    await database.migrate(_owner(stack, empty), checkout=checkout)

    async with database.connected(stack.local.addresses.database_url("intake", empty, stack.local.secrets)) as intake:
        await intake.execute("insert into intake.note (text) values ('own')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await intake.fetch("select * from issuer.note")


async def test_a_role_reads_what_was_applied_and_may_not_change_it(stack: Servers, empty: str, checkout: Path) -> None:
    await database.migrate(_owner(stack, empty), checkout=checkout)

    async with database.connected(stack.local.addresses.database_url("intake", empty, stack.local.secrets)) as intake:
        assert await intake.fetchval("select count(*) from intake.schema_migration") == 1
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await intake.execute("delete from intake.schema_migration")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await intake.execute("create table intake.mine ()")


async def test_a_table_in_use_makes_the_migration_give_up(stack: Servers, empty: str, checkout: Path) -> None:
    await database.migrate(_owner(stack, empty), checkout=checkout)
    path = checkout / "shared" / "migrations" / "0002_wider.sql"
    path.write_text("-- expand: wider.\nalter table note add column more text;\n")

    async with database.connected(_owner(stack, empty)) as reader, reader.transaction():
        await reader.execute("lock table intake.note in access share mode")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await database.migrate(_owner(stack, empty), checkout=checkout)
