"""Guarantees are loaded and locked, and what moved is saved."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from services.issuer.domain.form import Application, application_of
from services.issuer.domain.guarantee import Guarantee, Mail, MailState, Version
from services.issuer.domain.names import VersionKind
from services.issuer.domain.particulars import Particulars
from services.issuer.domain.states import GuaranteeState, VersionState
from services.issuer.store.arrays import DRAWN_AGAIN, columns
from shared.messages.intake import Kind
from shared.problems import Problem
from shared.work import Work
from shared.writes import Write, write_all

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

K = TypeVar("K")

LineKey = tuple[str, str, Kind]
"""Portal, application id, kind: what a guarantee is one of."""

_PROBLEMS = TypeAdapter(tuple[Problem, ...])

_GUARANTEE = """
    select g.guarantee_number, g.portal, g.application_id, g.kind, g.certificate_form, g.state, g.status_no,
           g.customer_number, g.contractor_name, g.obligee_name, g.project_name, g.price, g.amount, g.guarantee_until,
           g.concluded_at, g.message_from_guarantor, g.problems, g.sealed_auth_key, g.auth_key_fingerprint,
           g.earlier_guarantee_number
"""
_BY_NUMBER = f"""
    {_GUARANTEE} from guarantee g where g.guarantee_number = any($1::text[])
     order by g.guarantee_number for update of g
"""
_BY_LINE = f"""
    {_GUARANTEE} from guarantee g
      join unnest($1::text[], $2::text[], $3::text[]) as asked(portal, application_id, kind)
     using (portal, application_id, kind)
     order by g.guarantee_number for update of g
"""
_VERSIONS = """
    select v.guarantee_number, v.version, v.version_kind, v.state, v.issued_at, v.certificate_id, v.refused_at,
           v.refusal, v.mail_wanted, v.mail_address, v.mail_state, v.mail_ordinal, v.mail_refusal, v.particulars,
           v.revocable, v.held_at, v.released_at, v.hold_reason, c.portal as asked_by, c.change_id
      from version v left join change c on c.guarantee_number = v.guarantee_number and c.version = v.version
     where v.guarantee_number = any($1::text[]) order by v.guarantee_number, v.version
"""
_FORMS = """
    select portal, application_id, form from application
      join unnest($1::text[], $2::text[]) as asked(portal, application_id) using (portal, application_id)
"""
_SAVE_GUARANTEES = """
    update guarantee set state = saved.state, status_no = saved.status_no, concluded_at = saved.concluded_at,
           issued_at = saved.issued_at, message_from_guarantor = saved.message, problems = saved.problems,
           sealed_auth_key = saved.sealed, auth_key_fingerprint = saved.fingerprint
      from unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::jsonb[],
                  $8::text[], $9::bytea[])
           as saved(row_key, state, status_no, concluded_at, issued_at, message, problems, sealed, fingerprint)
     where guarantee_number = saved.row_key
    returning guarantee_number as told
"""
_SAVE_VERSIONS = """
    update version set state = saved.state, issued_at = saved.issued_at, certificate_id = saved.certificate_id,
           refused_at = saved.refused_at, refusal = saved.refusal, mail_wanted = saved.wanted,
           mail_address = saved.address, mail_state = saved.mail_state, mail_ordinal = saved.ordinal,
           mail_refusal = saved.mail_refusal, held_at = saved.held_at, released_at = saved.released_at,
           hold_reason = saved.hold_reason
      from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::timestamptz[], $7::text[],
                  $8::boolean[], $9::text[], $10::text[], $11::int[], $12::text[], $13::timestamptz[],
                  $14::timestamptz[], $15::text[])
           as saved(row_key, row_no, state, issued_at, certificate_id, refused_at, refusal, wanted, address,
                    mail_state, ordinal, mail_refusal, held_at, released_at, hold_reason)
     where guarantee_number = saved.row_key and version = saved.row_no
    returning guarantee_number as told
"""


# What people are shown changes with the arrival of a later version only, so most saves leave it alone.
_SAVE_SHOWN = """
    update guarantee set contractor_name = shown.contractor_name, jv_name = shown.jv_name,
           obligee_code = shown.obligee_code, obligee_name = shown.obligee_name, project_name = shown.project_name,
           price = shown.price, amount = shown.amount, depository = shown.depository,
           guarantee_until = shown.guarantee_until
      from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                  $9::text[], $10::date[])
           as shown(row_key, contractor_name, jv_name, obligee_code, obligee_name, project_name, price, amount,
                    depository, guarantee_until)
     where guarantee_number = shown.row_key
    returning guarantee_number as told
"""


async def by_number(connection: "Connection", numbers: Collection[str]) -> dict[str, Guarantee]:
    """Load and lock the guarantees of these numbers."""
    found = await _with_versions(connection, await connection.fetch(_BY_NUMBER, sorted(numbers)))
    return {guarantee.guarantee_number: guarantee for guarantee in found}


async def by_line(connection: "Connection", lines: Collection[LineKey]) -> dict[LineKey, Guarantee]:
    """Load and lock the guarantees of these lines."""
    records = await connection.fetch(_BY_LINE, *columns(sorted(lines), 3))
    found = await _with_versions(connection, records)
    return {(guarantee.portal, guarantee.application_id, guarantee.kind): guarantee for guarantee in found}


async def _with_versions(connection: "Connection", guarantees: Sequence["Record"]) -> list[Guarantee]:
    records = await connection.fetch(_VERSIONS, [record["guarantee_number"] for record in guarantees])
    portals = {record["guarantee_number"]: record["portal"] for record in guarantees}
    versions: dict[str, list[Version]] = {}
    for record in records:
        number = record["guarantee_number"]
        versions.setdefault(number, []).append(_version(record, portals[number]))
    return [_guarantee(record, versions.get(record["guarantee_number"], ())) for record in guarantees]


def _guarantee(record: "Record", versions: Sequence[Version]) -> Guarantee:
    return Guarantee(
        guarantee_number=record["guarantee_number"],
        portal=record["portal"],
        application_id=record["application_id"],
        kind=record["kind"],
        certificate_form=record["certificate_form"],
        state=GuaranteeState(record["state"]),
        customer_number=record["customer_number"],
        contractor_name=record["contractor_name"],
        obligee_name=record["obligee_name"],
        project_name=record["project_name"],
        price=record["price"],
        amount=record["amount"],
        guarantee_until=record["guarantee_until"],
        status_no=record["status_no"],
        concluded_at=record["concluded_at"],
        message_from_guarantor=record["message_from_guarantor"],
        problems=_PROBLEMS.validate_json(record["problems"]),
        sealed_auth_key=record["sealed_auth_key"],
        auth_key_fingerprint=record["auth_key_fingerprint"],
        earlier_guarantee_number=record["earlier_guarantee_number"],
        versions=tuple(versions),
    )


def _version(record: "Record", portal: str) -> Version:
    said = record["particulars"]
    return Version(
        version=record["version"],
        kind=VersionKind(record["version_kind"]),
        state=VersionState(record["state"]),
        mail=Mail(
            wanted=record["mail_wanted"],
            address=record["mail_address"],
            state=MailState(record["mail_state"]),
            ordinal=record["mail_ordinal"],
            refusal=record["mail_refusal"],
        ),
        issued_at=record["issued_at"],
        certificate_id=record["certificate_id"],
        refused_at=record["refused_at"],
        refusal=record["refusal"],
        particulars=None if said is None else Particulars.model_validate_json(said),
        revocable=record["revocable"],
        held_at=record["held_at"],
        released_at=record["released_at"],
        hold_reason=record["hold_reason"],
        change_id=record["change_id"] if record["asked_by"] == portal else None,
    )


async def forms(connection: "Connection", guarantees: Collection[Guarantee]) -> dict[tuple[str, str], Application]:
    """The applications these guarantees come from, by portal and application id."""
    keys = sorted({(guarantee.portal, guarantee.application_id) for guarantee in guarantees})
    records = await connection.fetch(_FORMS, *columns(keys, 2))
    return {
        (record["portal"], record["application_id"]): application_of(from_json(record["form"])) for record in records
    }


async def save(work: Work, before: Mapping[K, Guarantee], after: Mapping[K, Guarantee]) -> None:
    """Have what differs between the loaded guarantees and the same ones as they are now become true with this work."""
    rows = [(_guarantee_row(before[key]), _guarantee_row(now)) for key, now in after.items()]
    guarantees = [new for old, new in rows if new != old]
    versions = [
        _version_row(now.guarantee_number, version)
        for key, now in after.items()
        for version in now.versions
        if before[key].version(version.version) not in (None, version)
    ]
    shown = [row for key, now in after.items() for row in _shown_rows(before[key], now)]
    if shown:
        # At once, for the same rows are saved again at the end, and one statement touches a row once.
        await write_all(work.connection, [Write(_SAVE_SHOWN, columns(sorted(shown, key=_first), 10))])
    if guarantees:
        work.write(Write(_SAVE_GUARANTEES, columns(sorted(guarantees, key=_first), 9), heals=DRAWN_AGAIN))
    if versions:
        work.write(Write(_SAVE_VERSIONS, columns(sorted(versions, key=_first_two), 15)))


def _first(row: tuple[Any, ...]) -> str:
    return str(row[0])


def _first_two(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[:2]


def _guarantee_row(guarantee: Guarantee) -> tuple[Any, ...]:
    return (
        guarantee.guarantee_number,
        guarantee.state,
        guarantee.status_no,
        guarantee.concluded_at,
        guarantee.in_force.issued_at if guarantee.in_force else None,
        guarantee.message_from_guarantor,
        to_json(guarantee.problems).decode(),
        guarantee.sealed_auth_key,
        guarantee.auth_key_fingerprint,
    )


def _shown_rows(before: Guarantee, now: Guarantee) -> list[tuple[Any, ...]]:
    said = now.present.particulars if now.present else None
    if said is None or (before.present and before.present.particulars == said):
        return []
    return [
        (
            *(now.guarantee_number, said.contractor_name, said.jv_name, said.obligee_code, said.obligee_name),
            *(said.project_name, said.price, said.amount, said.depository, said.guarantee_until),
        )
    ]


def _version_row(guarantee_number: str, version: Version) -> tuple[Any, ...]:
    mail = version.mail
    return (
        *(guarantee_number, version.version, version.state, version.issued_at, version.certificate_id),
        *(version.refused_at, version.refusal),
        *(mail.wanted, mail.address, mail.state, mail.ordinal, mail.refusal),
        *(version.held_at, version.released_at, version.hold_reason),
    )
