"""What the key notice tells: the version that contractors see as it was signed, its time, and the obligee's advice."""

import json
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from services.issuer.domain.shown import HIDDEN_KINDS, VISIBLE_STATES
from services.issuer.papers.content import Advice, Overview

if TYPE_CHECKING:
    from shared.postgres import Connection

# The terms are read through the row as JSON, so that a row from before they were kept says nothing instead of failing.
_OVERVIEW: Final = """
    select v.certificate, v.issued_at,
           to_jsonb(a) #> '{terms,key_notice}' as advice
      from guarantee g join application a using (portal, application_id) join version v using (guarantee_number)
     where g.guarantee_number = $1 and ($2::text is null or g.portal = $2)
       and v.issued_at is not null and v.certificate is not null
       and v.state = any($3::text[]) and v.version_kind <> all($4::text[])
     order by v.version desc limit 1
"""


async def overview(connection: "Connection", number: str, portal: str | None) -> Overview | None:
    """The latest version of a guarantee that contractors see, so after a 変更取消 the one that holds again.

    None if there is none, or none of this portal's (None: any portal's). Money and names are those that
    were signed. The advice is the obligee's as of the application.
    """
    record = await connection.fetchrow(_OVERVIEW, number, portal, sorted(VISIBLE_STATES), sorted(HIDDEN_KINDS))
    if record is None:
        return None
    signed: Mapping[str, Any] = json.loads(record["certificate"])
    return Overview(
        guarantee_number=number,
        contractor=signed["contractor"]["name"],
        jv_name=signed["contractor"]["jv_name"],
        project_name=signed["project_name"],
        obligee=signed["obligee"]["name"],
        price=signed["price"],
        amount=signed["amount"],
        guarantee_until=date.fromisoformat(signed["guarantee_until"]),
        product_name=signed["product_name"],
        depository=signed["depository"],
        guarantor=signed["guarantor"],
        issued_at=record["issued_at"],
        advice=_advice(record["advice"]),
    )


def _advice(kept: str | None) -> Advice:
    told: Mapping[str, Any] = json.loads(kept or "null") or {}
    return Advice(told.get("submit_to"), told.get("mail_subject"), told.get("advice_ja"))
