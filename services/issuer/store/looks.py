"""Who looked at a key: noted before the key leaves, and read by the office."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.postgres import Connection

_ADD: Final = """
    insert into auth_key_reveal (guarantee_number, portal, viewer, address, shown_by, revealed_at)
    values ($1, $2, $3, $4, $5, $6)
"""
# Sorted by the time first, so that the looks are found by their guarantee and never by walking back through all looks.
_NEWEST: Final = """
    select look.reveal_no, look.portal, look.viewer, look.address, look.shown_by, look.revealed_at
      from guarantee g
      left join lateral (select * from auth_key_reveal r where r.guarantee_number = g.guarantee_number
                          order by r.revealed_at desc, r.reveal_no desc limit $2) look on true
     where g.guarantee_number = $1
     order by look.revealed_at desc, look.reveal_no desc
"""


class ShownBy(StrEnum):
    """What showed the key: a page of the portal, or the printed 認証キーのお知らせ."""

    PAGE = "page"
    KEY_NOTICE = "key_notice"


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody who looks at a key.

    Attributes:
        portal: through which it is looked at.
        viewer: the person, as the portal names them.
        address: the client's, as the server saw it; None in looks from before it was noted.
        shown_by: None in looks from before it was noted.
    """

    portal: str
    viewer: str
    address: str | None
    shown_by: ShownBy | None


@dataclass(frozen=True, slots=True)
class Noted:
    """A look, and when it was."""

    look: Look
    revealed_at: datetime


async def add(connection: "Connection", number: str, look: Look, now: datetime) -> None:
    """Note who looked at a key, for which portal, from where, by what, and when."""
    await connection.execute(_ADD, number, look.portal, look.viewer, look.address, look.shown_by, now)


async def newest(connection: "Connection", number: str, limit: int) -> Sequence[Noted] | None:
    """At most `limit` looks at the key of a guarantee, newest first; None if there is no such guarantee."""
    records = await connection.fetch(_NEWEST, number, limit)
    if not records:
        return None
    return [
        Noted(
            Look(
                portal=record["portal"],
                viewer=record["viewer"],
                address=record["address"],
                shown_by=None if record["shown_by"] is None else ShownBy(record["shown_by"]),
            ),
            record["revealed_at"],
        )
        for record in records
        if record["reveal_no"] is not None
    ]
