"""手続状況 of what was sent, as the answers in the portal's queue tell it: at least once each, and in no order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulators.portal.answers import Answer
from simulators.portal.client import (
    ACCEPTED,
    CHANGE_ACCEPTED,
    CHANGE_REFUSED,
    CHANGE_REJECTED,
    ISSUED,
    REJECTED,
    STATUS_CHANGED,
)
from simulators.portal.sent import Sent
from simulators.portal.site.form import KINDS

SENT_JA = "送信済"
ACCEPTED_JA = "受付済"
REJECTED_JA = "受付できません"
IN_EFFECT_JA = "反映済"
TAKEN_BACK_JA = "取り消されました"


@dataclass(frozen=True, slots=True)
class Line:
    """One guarantee of an application as far as it is known."""

    kind: str
    certificate_form: str
    status: str
    status_ja: str
    guarantee_number: str | None = None
    issued_at: str | None = None
    message: str | None = None

    @property
    def title(self) -> str:
        """Its name."""
        return KINDS.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Progress:
    """One application and its lines; `problems` are the reasons of a refusal, of any line too."""

    sent: Sent
    lines: tuple[Line, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


def progress_of(sent: Sent, answers: Sequence[Answer]) -> Progress:
    """What has become of an application: of two answers about one line the later one counts."""
    bodies = [(one.type, one.data) for one in answers if isinstance(one.data, dict)]
    types = {kind for kind, _ in bodies}
    status = "accepted" if ACCEPTED in types else "rejected" if REJECTED in types else "sent"
    word = {"accepted": ACCEPTED_JA, "rejected": REJECTED_JA, "sent": SENT_JA}[status]
    lines = tuple(
        _line(line["kind"], line["certificate_form"], (status, word), bodies) for line in sent.body["guarantees"]
    )
    # What was refused once and mended since is accepted: an earlier refusal then tells nothing any more.
    telling = (STATUS_CHANGED,) if status == "accepted" else (REJECTED, STATUS_CHANGED)
    problems = _sentences(bodies, telling, "problems")
    return Progress(sent, lines, problems, _sentences(bodies, (ACCEPTED,), "remarks"))


def change_state(answers: Sequence[Answer]) -> tuple[str, tuple[str, ...]]:
    """How a change stands, and why it was refused."""
    bodies = [(one.type, one.data) for one in answers if isinstance(one.data, dict)]
    types = {kind for kind, _ in bodies}
    if refused := _sentences(bodies, (CHANGE_REFUSED,), "problems"):
        return REJECTED_JA, refused
    if CHANGE_ACCEPTED in types:
        return ACCEPTED_JA, ()
    # Here too, a form that was refused and then mended under the same id is accepted.
    refused = _sentences(bodies, (CHANGE_REJECTED,), "problems")
    return (REJECTED_JA if refused else SENT_JA), refused


def effect_of(change: Sent, answers: Sequence[Answer], history: Sequence[Mapping[str, Any]]) -> str | None:
    """What became of an accepted change that was issued, by the history contractors see; None if it never was issued.

    Versions are a pile: a correction takes the place of the topmost, and a change that was taken back is off the pile.
    So a correction stands for this change only while the version below it, on which it was based, still stands.
    """
    bodies = (one.data for one in answers if one.type == ISSUED and isinstance(one.data, dict))
    version = next((data["version"] for data in bodies if data.get("change_id") == change.id), None)
    if version is None:
        return None
    kinds = {int(row["version"]): row["version_kind"] for row in history}
    following = min((one for one in kinds if one > version), default=0)
    is_corrected = change.body["base_version"] in kinds and kinds.get(following) == "correction"
    return IN_EFFECT_JA if version in kinds or is_corrected else TAKEN_BACK_JA


def _line(
    kind: str, certificate_form: str, first: tuple[str, str], bodies: Sequence[tuple[str, Mapping[str, Any]]]
) -> Line:
    mine = [(what, data) for what, data in bodies if data.get("kind") == kind]
    moves = [data for what, data in mine if what == STATUS_CHANGED]
    issued = [data for what, data in mine if what == ISSUED]
    if not moves:
        return Line(kind, certificate_form, *first)
    last = max(moves, key=lambda data: datetime.fromisoformat(data["at"]))
    return Line(
        kind,
        certificate_form,
        last["to"],
        last["status_ja"],
        last["guarantee_number"],
        max((data["issued_at"] for data in issued), key=datetime.fromisoformat, default=None),
        last.get("message_from_guarantor"),
    )


def _sentences(bodies: Sequence[tuple[str, Mapping[str, Any]]], types: tuple[str, ...], where: str) -> tuple[str, ...]:
    found = [one["message_ja"] for what, data in bodies if what in types for one in data.get(where) or ()]
    return tuple(dict.fromkeys(found))
