"""Rights in the database: what each service may do with the tables of its own schema, and what it may not."""

from typing import Final

from deploy import database

MIGRATE: Final = "run `hosho migrate`"
RIGHTS: Final = ("select", "insert", "update", "delete")
_OWNERS_BOOK: Final = "schema_migration"

_TABLES: Final = """
    select relname as name, coalesce(obj_description(pg_class.oid, 'pg_class'), '') like 'insert only:%' as insert_only,
           array(select word from unnest($3::text[]) with ordinality as one(word, nr)
                  where has_table_privilege($2, pg_class.oid, word) order by nr) as may
      from pg_class join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = $1 and relkind = 'r' order by relname
"""
_ROLE: Final = "select true from pg_roles where rolname = $1"


async def of_service(connection: "database.Connection", service: str) -> list[str]:
    """Findings about the rights of a service's role in its own schema."""
    role = database.role_of(service)
    if not await connection.fetchval(_ROLE, role):
        return [f"the role {role} is missing — run `hosho database prepare`"]
    findings = []
    for row in await connection.fetch(_TABLES, service, role, list(RIGHTS)):
        findings += differing(
            role, f"{service}.{row['name']}", wanted(row["name"], insert_only=row["insert_only"]), row["may"]
        )
    return findings


def wanted(table: str, *, insert_only: bool) -> tuple[str, ...]:
    """What a service must be able to do with a table of its schema, and nothing else."""
    if table == _OWNERS_BOOK:
        return RIGHTS[:1]
    return RIGHTS[:2] if insert_only else RIGHTS


def differing(role: str, table: str, planned: tuple[str, ...], may: list[str]) -> list[str]:
    """Whether a role may do less or more with a table than is planned."""
    lacking = [right for right in planned if right not in may]
    surplus = [right for right in may if right not in planned]
    findings = [f"the role {role} may not {', '.join(lacking)} {table} — {MIGRATE}"] if lacking else []
    if surplus:
        findings.append(f"the role {role} may {', '.join(surplus)} {table}, unplanned — {MIGRATE}")
    return findings
