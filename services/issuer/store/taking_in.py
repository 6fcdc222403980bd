"""Applications, guarantees and versions are added. Nothing that stands is ever overwritten here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic_core import to_json

from services.issuer.domain.announcements import Signed
from services.issuer.domain.form import Application
from services.issuer.domain.guarantee import Guarantee, Version
from services.issuer.store.arrays import DRAWN_AGAIN, columns
from shared.writes import Write

if TYPE_CHECKING:
    from shared.postgres import Connection

_TAKE_SERIALS = "select nextval('guarantee_serial') from generate_series(1, $1)"
_ADD_APPLICATIONS = """
    insert into application (portal, application_id, accepted_at, remarks, form, terms)
    select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::jsonb[], $6::jsonb[])
    on conflict do nothing
    returning application_id as told
"""
_ADD_GUARANTEES = """
    insert into guarantee (guarantee_number, portal, application_id, kind, certificate_form, state, status_no,
                           customer_number, contractor_name, jv_name, obligee_code, obligee_name, project_name,
                           price, amount, depository, guarantee_until, taken_in_at, concluded_at,
                           message_from_guarantor, problems, sealed_auth_key, auth_key_fingerprint,
                           earlier_guarantee_number)
    select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
                         $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
                         $14::bigint[], $15::bigint[], $16::text[], $17::date[], $18::timestamptz[],
                         $19::timestamptz[], $20::text[], $21::jsonb[], $22::text[], $23::bytea[], $24::text[])
    on conflict on constraint one_guarantee_per_line_of_an_application do nothing
    returning guarantee_number as told
"""
_ADD_VERSIONS = """
    insert into version (guarantee_number, version, version_kind, state, certificate, content_sha256, signature,
                         created_at, mail_wanted, mail_address, mail_state, mail_ordinal, particulars, revocable)
    select * from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                         $8::timestamptz[], $9::boolean[], $10::text[], $11::text[], $12::int[], $13::jsonb[],
                         $14::boolean[])
    returning guarantee_number as told
"""


@dataclass(frozen=True, slots=True)
class AcceptedApplication:
    """An application as intake announced it; `remarks`, `form` and `terms` are JSON text."""

    portal: str
    application_id: str
    accepted_at: datetime
    remarks: str
    form: str
    terms: str | None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be added; `signed` is None on paper."""

    guarantee_number: str
    version: Version
    signed: Signed | None


async def take_serials(connection: "Connection", count: int) -> list[int]:
    """So many fresh numbers, ascending; a number that is not used in the end is a gap and nothing else."""
    return sorted(row["nextval"] for row in await connection.fetch(_TAKE_SERIALS, count))


def adding_applications(applications: Sequence[AcceptedApplication]) -> Write:
    """Keeps applications; one that is there already stands."""
    ordered = sorted(applications, key=lambda row: (row.portal, row.application_id))
    rows = [(row.portal, row.application_id, row.accepted_at, row.remarks, row.form, row.terms) for row in ordered]
    return Write(_ADD_APPLICATIONS, columns(rows, 6))


def adding_guarantees(guarantees: Sequence[tuple[Guarantee, Application]], now: datetime) -> Write:
    """Inserts guarantees and tells the numbers of those whose line had none before."""
    ordered = sorted(guarantees, key=lambda row: (row[0].portal, row[0].application_id, row[0].kind))
    rows = [_guarantee_row(guarantee, application, now) for guarantee, application in ordered]
    return Write(_ADD_GUARANTEES, columns(rows, 24), heals=DRAWN_AGAIN)


def _guarantee_row(guarantee: Guarantee, application: Application, now: datetime) -> tuple[object, ...]:
    contractor, contract = application.contractor, application.contract
    line = application.line_of(guarantee.kind)
    return (
        guarantee.guarantee_number,
        guarantee.portal,
        guarantee.application_id,
        guarantee.kind,
        guarantee.certificate_form,
        guarantee.state,
        guarantee.status_no,
        contractor.customer_number,
        guarantee.contractor_name,
        contractor.jv_name,
        contract.obligee_code,
        guarantee.obligee_name,
        guarantee.project_name,
        contract.price,
        line.amount,
        line.depository,
        guarantee.guarantee_until,
        now,
        guarantee.concluded_at,
        guarantee.message_from_guarantor,
        to_json(guarantee.problems).decode(),
        guarantee.sealed_auth_key,
        guarantee.auth_key_fingerprint,
        guarantee.earlier_guarantee_number,
    )


def adding_versions(versions: Sequence[NewVersion], now: datetime) -> Write:
    """Inserts versions of certificates."""
    ordered = sorted(versions, key=lambda row: (row.guarantee_number, row.version.version))
    rows = [_version_row(row.guarantee_number, row.version, row.signed, now) for row in ordered]
    return Write(_ADD_VERSIONS, columns(rows, 14))


def _version_row(number: str, version: Version, signed: Signed | None, now: datetime) -> tuple[object, ...]:
    proof = (signed.certificate, signed.content_sha256, signed.signature) if signed else (None, None, None)
    mail, said = version.mail, version.particulars
    return (
        *(number, version.version, version.kind, version.state, *proof),
        *(now, mail.wanted, mail.address, mail.state, mail.ordinal),
        *(None if said is None else said.model_dump_json(), version.revocable),
    )
