"""What the office looks at, gathered from the public doors: lists of guarantees, and one guarantee's folder."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulators.core.desk import Desk
from simulators.core.doors import OfficeDoors
from simulators.portal.doors import Reply

PAGE_ITEMS = 200
SCANNED_PAGES_MAX = 10
"""The door has no filter for 手続状況, so a tab looks through so many pages at once; a link leads on from there."""

SHOWN_ITEMS_ENOUGH = 200
"""With so many a page ends. It may hold more, because what was read of the door is never left out."""

REFUSED = "refused"
_NUMBER = re.compile(r"[0-9]{5}-[0-9]{6}")
_WITHOUT_VALUES = frozenset({"change_cancellation", "termination"})


class OutsideFailed(Exception):
    """Raised when intake or the issuer answers with something the office cannot work with; try again later."""


class Tab(StrEnum):
    """A list of the office; each guarantee that waits for a person is in one of the first two."""

    AWAITING = "awaiting"
    ATTENTION = "attention"
    ALL = "all"


STATUSES: Mapping[Tab, frozenset[str]] = {
    Tab.AWAITING: frozenset({"awaiting_conclusion"}),
    Tab.ATTENTION: frozenset({"refused_by_platform", "held"}),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """Some guarantees, newest first; `following` leads to older ones, None at the end."""

    items: Sequence[Mapping[str, Any]]
    following: str | None


@dataclass(frozen=True, slots=True)
class Folder:
    """Everything about one guarantee.

    Attributes:
        guarantee: as the issuer tells it to the office.
        application: as intake keeps it; None when intake has none.
        line: this guarantee's line in the application, empty without one.
        place: where that line stands in it, from 0.
        certificate: the version that a change starts from; None on paper and before the first.
        base_version: the number of that version.
        looks: who looked at its key, as the issuer tells it; None on paper, and of an issuer that does not tell it.
        requests: what intake answered about it, newest first, with `refused` for what the issuer had against it.
    """

    guarantee: Mapping[str, Any]
    application: Mapping[str, Any] | None
    line: Mapping[str, Any]
    place: int
    certificate: Mapping[str, Any] | None
    base_version: int
    requests: Sequence[Mapping[str, Any]] = field(default=())
    looks: Mapping[str, Any] | None = None

    @property
    def status(self) -> str:
        """手続状況."""
        return str(self.guarantee["status"])

    @property
    def is_electronic(self) -> bool:
        """Whether there is a certificate and not a paper."""
        return bool(self.guarantee["certificate_form"] == "electronic")

    @property
    def was_issued(self) -> bool:
        """Whether a version ever arrived, so that there is a key to be looked at."""
        return any(row["issued_at"] for row in self.guarantee["history"])

    @property
    def mends(self) -> bool:
        """Whether a 訂正 would mend what the platform refused."""
        return self.status == "refused_by_platform"

    @property
    def can_be_corrected(self) -> bool:
        """Whether a 訂正 has something to start from, and nothing is under way."""
        return self.status in {"active", "paper_ordered", "expired", "refused_by_platform"}

    @property
    def can_be_ended(self) -> bool:
        """Whether a 解約 may be asked for."""
        return self.status in {"active", "paper_ordered", "expired"}

    @property
    def can_take_back(self) -> bool:
        """Whether the version in force came of a 変更, or may correct one; the issuer judges the rest."""
        rows = self.guarantee["history"]
        in_force = {row["version"]: row["version_kind"] for row in rows}.get(self.guarantee["version"])
        corrected = any(row["version_kind"] == "change" and row["state"] == "corrected" for row in rows)
        return self.can_be_ended and (in_force == "change" or (in_force == "correction" and corrected))

    def refusal_of(self, change_id: str) -> Sequence[Mapping[str, Any]]:
        """What stands against a change that was asked for; empty while nothing does."""
        return next((one["refused"] for one in self.requests if one["change_id"] == change_id), [])

    @property
    def sign(self) -> tuple[object, ...]:
        """What differs once something has happened to it."""
        history = tuple((row["version"], row.get("state")) for row in self.guarantee["history"])
        return self.status, history, sum(bool(one["refused"]) for one in self.requests)


class Office:
    """Reads as the office. Every method raises OutsideFailed, aiohttp.ClientError or TimeoutError."""

    def __init__(self, doors: OfficeDoors, desk: Desk) -> None:
        self.doors = doors
        self._desk = desk

    async def listed(self, tab: Tab, cursor: str | None = None, **query: str) -> Listed:
        """The guarantees of a tab, from where `cursor` leads; `query` narrows them as the issuer's list does."""
        wanted, found = STATUSES.get(tab), list[Mapping[str, Any]]()
        for _ in range(SCANNED_PAGES_MAX):
            more = {"cursor": cursor} if cursor else {}
            page = _good(await self.doors.guarantees(limit=str(PAGE_ITEMS), **query, **more))
            found += [item for item in page["items"] if wanted is None or item["status"] in wanted]
            cursor = page["next_cursor"]
            if cursor is None or len(found) >= SHOWN_ITEMS_ENOUGH:
                break
        return Listed(found, cursor)

    async def folder(self, number: str) -> Folder | None:
        """One guarantee; None if there is none of this number."""
        if _NUMBER.fullmatch(number) is None:
            return None
        reply = await self.doors.guarantee(number)
        if reply.status == 404:
            return None
        guarantee = _good(reply)
        application = await self._application(guarantee)
        lines = application["guarantees"] if application else []
        place = next((index for index, line in enumerate(lines) if line["kind"] == guarantee["kind"]), 0)
        base_version = _base_version(guarantee)
        return Folder(
            guarantee=guarantee,
            application=application,
            line=lines[place] if lines else {},
            place=place,
            certificate=await self._certificate(guarantee, base_version),
            base_version=base_version,
            requests=await self._requests(number),
            looks=await self._looks(guarantee),
        )

    async def _application(self, guarantee: Mapping[str, Any]) -> Mapping[str, Any] | None:
        reply = await self.doors.application_of(guarantee["portal"], guarantee["application_id"])
        found: Mapping[str, Any] | None = None if reply.status == 404 else _good(reply)["application"]
        return found

    async def _certificate(self, guarantee: Mapping[str, Any], version: int) -> Mapping[str, Any] | None:
        if not guarantee["history"] or guarantee["certificate_form"] != "electronic":
            return None
        reply = await self.doors.certificate(guarantee["guarantee_number"], version)
        found: Mapping[str, Any] | None = None if reply.status in (404, 409) else _good(reply)
        return found

    async def _looks(self, guarantee: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if guarantee["certificate_form"] != "electronic":
            return None
        reply = await self.doors.key_reveals(guarantee["guarantee_number"])
        found: Mapping[str, Any] | None = None if reply.status == 404 else _good(reply)
        return found

    async def _requests(self, number: str) -> list[Mapping[str, Any]]:
        entries = _good(await self.doors.changes_of(number))["items"]
        refusals = await self._desk.refusals(number)
        return [{**entry, "refused": _refused(entry, refusals)} for entry in entries]


def number_of(typed: str) -> str | None:
    """The 保証契約番号 that somebody typed in any width, with or without its hyphen; None if it can be none."""
    digits = re.sub(r"[-‐−ー\s]", "", unicodedata.normalize("NFKC", typed))
    number = f"{digits[:5]}-{digits[5:]}"
    return number if _NUMBER.fullmatch(number) else None


def _refused(entry: Mapping[str, Any], refusals: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    if entry["outcome"] != "accepted":
        return list(entry["problems"])
    return refusals.get(str(entry["change_id"]), []) if entry["portal"] == "office" else []


def _base_version(guarantee: Mapping[str, Any]) -> int:
    """The version in force, or a refused one that has values of its own and waits to be mended (rule 12)."""
    rows = guarantee["history"]
    if not rows:
        return 1
    latest = rows[-1]
    if latest["state"] == REFUSED and latest["version_kind"] not in _WITHOUT_VALUES:
        return int(latest["version"])
    return int(guarantee["version"] or latest["version"])


def _good(reply: Reply) -> Any:
    if reply.status != 200:
        raise OutsideFailed(f"answered {reply.status}")
    try:
        return reply.json()
    except ValueError as error:
        raise OutsideFailed("answered something unreadable") from error
