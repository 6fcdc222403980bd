"""What the web door reads of guarantees, their versions and sealed keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter
from pydantic_core import from_json

from services.issuer.domain.guarantee import MailState
from services.issuer.domain.names import TOKYO, VersionKind
from services.issuer.domain.shown import Detailed, Listed, ShownMail, ShownVersion
from services.issuer.domain.states import GuaranteeState, VersionState
from services.issuer.store import changing
from shared.messages.intake import CertificateForm, Kind, Terms
from shared.problems import Problem

if TYPE_CHECKING:
    from asyncpg import Record

    from shared.postgres import Connection

_PROBLEMS = TypeAdapter(tuple[Problem, ...])

SCANNED_ROWS_MAX: Final = 20_000
"""How many rows one page of a narrowed list looks at; folding the names of so many takes about a sixth of a second."""

# Japanese names come in half and in full width; whoever searches need not know which of them was typed.
_FOLDED: Final = "strpos(lower(normalize({0}, nfkc)), lower(normalize({1}, nfkc))) > 0"

# By these an index finds its rows; by the others rows are only sorted out, each of which must be looked at.
_FOUND_BY: Final = {
    "portal": "g.portal = {0}",
    "application_id": "g.application_id = {0}",
    "customer_number": "g.customer_number = {0}",
    "number": "g.guarantee_number = {0}",
    "before": "g.guarantee_number < {0}",
}
_SORTED_OUT_BY: Final = {
    "contractor": _FOLDED.format("g.contractor_name", "{0}"),
    "kind": "g.kind = {0}",
    "certificate_form": "g.certificate_form = {0}",
    "issued_from": "g.issued_at >= {0}",
    "project": _FOLDED.format("g.project_name", "{0}"),
}
_LISTED: Final = """
    select g.guarantee_number, g.application_id, g.kind, g.obligee_name, g.project_name, g.contractor_name, g.price,
    g.amount, g.certificate_form, g.state, g.guarantee_until, g.issued_at, latest.state as latest, latest.held
"""
_LATEST: Final = """
      left join lateral (select v.state, coalesce(v.held_at > coalesce(v.released_at, '-infinity'), false) as held
                           from version v where v.guarantee_number = g.guarantee_number
                          order by v.version desc limit 1) latest on true
"""
_LIST: Final = """
    {listed} from guarantee g {latest} where {where} order by g.guarantee_number desc limit {limit}
"""
_LIST_SORTED_OUT: Final = """
    {listed} from (select * from guarantee g where {where} order by g.guarantee_number desc limit {scanned}) g {latest}
     where {sorted_out} order by g.guarantee_number desc limit {limit}
"""
_SCANNED: Final = """
    select count(*) as rows, min(guarantee_number) as last
      from (select g.guarantee_number from guarantee g where {where} order by g.guarantee_number desc limit {scanned}) g
"""
_DETAIL: Final = f"""
    {_LISTED}, g.jv_name, g.depository, g.problems, g.message_from_guarantor, a.remarks, a.terms,
           g.certificate_form = 'electronic' and (a.form #>> '{{completion_mail,wanted}}')::boolean as mail_wanted,
           coalesce((a.form #>> '{{contract,low_bid}}')::boolean, false) as low_bid, a.portal,
           jsonb_path_query_array(a.form, '$.guarantees[*].kind') as kinds
      from guarantee g join application a using (portal, application_id) {_LATEST}
     where g.guarantee_number = $1 and ($2::text is null or g.portal = $2)
"""
_HISTORY: Final = """
    select version, version_kind, state, issued_at, mail_wanted, mail_state, mail_refusal,
           coalesce(refusal, hold_reason) as note
      from version where guarantee_number = $1 order by version
"""
_CERTIFICATE: Final = """
    select v.version_kind, v.state, v.issued_at, v.certificate, v.content_sha256, v.signature
      from version v join guarantee g using (guarantee_number)
     where v.guarantee_number = $1 and v.version = $2 and ($3::text is null or g.portal = $3)
"""
_KEY: Final = """
    select g.sealed_auth_key, g.application_id, exists (select from version v
                where v.guarantee_number = g.guarantee_number and v.issued_at is not null) as issued
      from guarantee g where g.guarantee_number = $1 and ($2::text is null or g.portal = $2)
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows the list; None narrows nothing. `before` is the last number of the page before this one."""

    portal: str | None = None
    application_id: str | None = None
    customer_number: str | None = None
    contractor: str | None = None
    kind: Kind | None = None
    certificate_form: CertificateForm | None = None
    issued_from: date | None = None
    project: str | None = None
    number: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A version's signed data; the three are None on paper."""

    kind: VersionKind
    state: VersionState
    issued_at: datetime | None
    certificate: str | None
    content_sha256: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A guarantee's sealed 認証キー, and whether a version of it was ever issued."""

    sealed_auth_key: str | None
    application_id: str
    issued: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Guarantees of a list; `more_below` is the number from which to go on, None when nothing is left."""

    guarantees: tuple[Listed, ...]
    more_below: str | None


async def listed(connection: "Connection", filters: Filters, limit: int) -> Found:
    """At most `limit` guarantees that fit all filters, newest first.

    Only the conditions asked for stand in the statement, so that the planner sees which index fits. Where rows must be
    sorted out one by one, at most `SCANNED_ROWS_MAX` are looked at: then there may be fewer than `limit`, or none, and
    more below.
    """
    values: list[object] = []
    asked = {"listed": _LISTED, "latest": _LATEST, "where": _conditions(_FOUND_BY, filters, values) or "true"}
    found_by = len(values)
    asked["sorted_out"] = _conditions(_SORTED_OUT_BY, filters, values)
    asked |= {"limit": f"${len(values) + 1}", "scanned": f"${len(values) + 2}"}
    if not asked["sorted_out"]:
        return _page(await connection.fetch(_LIST.format(**asked), *values, limit + 1), limit)
    # Both statements must see the same rows, or the next page would begin among those of this one.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await connection.fetch(_LIST_SORTED_OUT.format(**asked), *values, limit + 1, SCANNED_ROWS_MAX)
        page = _page(found, limit)
        if page.more_below is None:
            asked["scanned"] = f"${found_by + 1}"
            scan = await connection.fetchrow(_SCANNED.format(**asked), *values[:found_by], SCANNED_ROWS_MAX)
            if scan is not None and scan["rows"] == SCANNED_ROWS_MAX:
                return replace(page, more_below=scan["last"])
    return page


def _conditions(known: Mapping[str, str], filters: Filters, values: list[object]) -> str:
    conditions: list[str] = []
    for name, condition in known.items():
        value = getattr(filters, name)
        if value is not None:
            values.append(_from_midnight(value) if isinstance(value, date) else value)
            conditions.append(condition.format(f"${len(values)}"))
    return " and ".join(conditions)


def _page(records: Sequence["Record"], limit: int) -> Found:
    shown = tuple(_listed(record) for record in records[:limit])
    return Found(shown, shown[-1].guarantee_number if len(records) > limit else None)


def _from_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, TOKYO)


async def detailed(connection: "Connection", number: str, portal: str | None) -> Detailed | None:
    """One guarantee with its history; None if there is none, or none of this portal's (None means any portal's)."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        record = await connection.fetchrow(_DETAIL, number, portal)
        if record is None:
            return None
        versions = await connection.fetch(_HISTORY, number)
        application = (record["portal"], record["application_id"])
        lines = await changing.lines(connection, [application])
    return Detailed(
        listed=_listed(record),
        jv_name=record["jv_name"],
        depository=record["depository"],
        remarks=_PROBLEMS.validate_json(record["remarks"]),
        problems=_PROBLEMS.validate_json(record["problems"]),
        message_from_guarantor=record["message_from_guarantor"],
        mail_wanted=record["mail_wanted"],
        versions=_shown(versions),
        portal=record["portal"],
        line=from_json(record["kinds"]).index(record["kind"]),
        lines=tuple(lines[application]),
        terms=None if record["terms"] is None else Terms.model_validate_json(record["terms"]),
        low_bid=record["low_bid"],
    )


async def certificate(connection: "Connection", number: str, version: int, portal: str | None) -> Certificate | None:
    """A version's signed data; None as in `detailed`."""
    record = await connection.fetchrow(_CERTIFICATE, number, version, portal)
    if record is None:
        return None
    return Certificate(
        kind=VersionKind(record["version_kind"]),
        state=VersionState(record["state"]),
        issued_at=record["issued_at"],
        certificate=record["certificate"],
        content_sha256=record["content_sha256"],
        signature=record["signature"],
    )


async def sealed_key(connection: "Connection", number: str, portal: str | None) -> SealedKey | None:
    """A guarantee's sealed key; None as in `detailed`."""
    record = await connection.fetchrow(_KEY, number, portal)
    return None if record is None else SealedKey(record["sealed_auth_key"], record["application_id"], record["issued"])


def _listed(record: "Record") -> Listed:
    return Listed(
        guarantee_number=record["guarantee_number"],
        application_id=record["application_id"],
        kind=record["kind"],
        obligee_name=record["obligee_name"],
        project_name=record["project_name"],
        contractor_name=record["contractor_name"],
        price=record["price"],
        amount=record["amount"],
        certificate_form=record["certificate_form"],
        state=GuaranteeState(record["state"]),
        latest=None if record["latest"] is None else VersionState(record["latest"]),
        guarantee_until=record["guarantee_until"],
        issued_at=record["issued_at"],
        held=bool(record["held"]),
    )


def _shown(records: Sequence["Record"]) -> tuple[ShownVersion, ...]:
    return tuple(
        ShownVersion(
            version=record["version"],
            kind=VersionKind(record["version_kind"]),
            state=VersionState(record["state"]),
            issued_at=record["issued_at"],
            mail=ShownMail(
                wanted=record["mail_wanted"], state=MailState(record["mail_state"]), refusal=record["mail_refusal"]
            ),
            note=record["note"],
        )
        for record in records
    )
