"""From what a person at the office typed to a change as the contract has it, and problems back to their fields."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulators import clock
from simulators.core.office import Folder

OFFICE = "office"
_OWN_ID = re.compile(r"OFFICE-[0-9a-f-]{36}")
_YEN = re.compile(r"[0-9]{1,15}")
REASON_CHARS_MAX = 1_000


class Shape(StrEnum):
    """How a value is typed."""

    LINE = "line"
    YEN = "yen"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Corrected:
    """One field that a 訂正 may mend; `hint` says what is to be known before typing."""

    name: str
    label: str
    shape: Shape
    hint: str = ""
    may_be_empty: bool = False


CORRECTED = (
    Corrected("contractor_name", "請負契約者", Shape.LINE),
    Corrected("jv_name", "JV名", Shape.LINE, "JVでなければ空欄にします。", may_be_empty=True),
    Corrected("project_name", "工事名", Shape.LINE),
    Corrected("contract_date", "契約日", Shape.DAY),
    Corrected("works_from", "工期（始まり）", Shape.DAY),
    Corrected("works_until", "工期（終わり）", Shape.DAY),
    Corrected("price", "請負金額（円）", Shape.YEN),
    Corrected("fiscal_year_amount", "今年度対象額（円）", Shape.YEN, "なければ空欄にします。", may_be_empty=True),
    Corrected("amount", "保証金額（円）", Shape.YEN),
    Corrected("depository", "預託金融機関（全角）", Shape.LINE),
)


class ChangeKind(StrEnum):
    """What only the office may ask for (rule 12)."""

    CORRECTION = "correction"
    CANCELLATION = "change_cancellation"
    TERMINATION = "termination"


@dataclass(frozen=True, slots=True)
class Draft:
    """A change as it stands in its form.

    Attributes:
        change_id: made with the form, so that sending it twice asks for one change.
        typed: the values of a 訂正 as text, by name.
        confirmed: whether the person ticked that what cannot be undone is meant.
    """

    change_id: str
    base_version: int
    typed: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    mail_wanted: bool = False
    mail_address: str = ""
    confirmed: bool = False


def fields_of(folder: Folder) -> Sequence[Corrected]:
    """What can be corrected on this guarantee: a depository only where an advance payment is kept."""
    without = {"depository"} if folder.guarantee["kind"] == "contract_performance" else set()
    return [one for one in CORRECTED if one.name not in without]


def values_of(folder: Folder) -> dict[str, Any]:
    """The values that a 訂正 starts from: the certificate's; on paper the application's, renewed by the overview."""
    found = folder.certificate
    if found is not None:
        contractor = found["contractor"]
        named = {"contractor_name": contractor["name"], "jv_name": contractor["jv_name"]}
        return named | {one.name: found.get(one.name) for one in CORRECTED if one.name not in named}
    contract = (folder.application or {}).get("contract", {})
    overview = folder.guarantee
    return {one.name: overview.get(one.name, contract.get(one.name)) for one in CORRECTED}


def new_draft(folder: Folder) -> Draft:
    """The form before anything is typed."""
    wish = (folder.application or {}).get("completion_mail", {}) if folder.is_electronic else {}
    return Draft(
        change_id=f"OFFICE-{clock.new_id()}",
        base_version=folder.base_version,
        typed={name: _shown(value) for name, value in values_of(folder).items()},
        mail_wanted=bool(wish.get("wanted")),
        mail_address=wish.get("address") or "",
    )


def read_draft(folder: Folder, sent: Mapping[str, str]) -> Draft:
    """The form as it was sent; an id or a version that is none of ours is made anew."""
    blank = new_draft(folder)
    change_id, base = sent.get("change_id", ""), sent.get("base_version", "")
    return Draft(
        change_id=change_id if _OWN_ID.fullmatch(change_id) else blank.change_id,
        base_version=int(base) if re.fullmatch(r"[0-9]{1,9}", base) else blank.base_version,
        typed={one.name: sent.get(one.name, blank.typed[one.name]) for one in CORRECTED},
        # A browser sends two characters for each end of line, and counts one.
        reason=sent.get("reason", "").replace("\r\n", "\n"),
        mail_wanted=sent.get("mail_wanted") == "yes",
        mail_address=sent.get("mail_address", "").strip(),
        confirmed=sent.get("confirmed") == "yes",
    )


def body_of(folder: Folder, kind: ChangeKind, draft: Draft) -> dict[str, Any]:
    """The published `change.json` of a draft. A 訂正 names what differs from what it starts from."""
    return {
        "change_id": draft.change_id,
        "portal": OFFICE,
        "submitted_at": clock.now().astimezone(clock.TOKYO).isoformat(timespec="seconds"),
        "customer_number": None,
        "guarantee_number": folder.guarantee["guarantee_number"],
        "base_version": draft.base_version,
        "version_kind": kind.value,
        "corrections": corrections_of(folder, draft) if kind is ChangeKind.CORRECTION else {},
        "reason": draft.reason.strip() or None,
        "completion_mail": {
            "wanted": draft.mail_wanted,
            "address": (draft.mail_address or None) if draft.mail_wanted else None,
        },
    }


def corrections_of(folder: Folder, draft: Draft) -> dict[str, Any]:
    """What differs. A refused certificate may be sent again as it is, which names one value without changing it."""
    before = values_of(folder)
    read = {one.name: _value(one, draft.typed[one.name]) for one in fields_of(folder)}
    different = {name: value for name, value in read.items() if value != before[name]}
    return different or ({"project_name": read["project_name"]} if folder.mends else {})


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)


def _value(one: Corrected, typed: str) -> str | int | None:
    """A value of its type; what is no number stays as it was typed, and the door says what is wrong with it."""
    text = typed.strip(" \t\r\n")
    if not text:
        return None
    if one.shape is not Shape.YEN:
        return text
    amount = yen_of(text)
    return text if amount is None else amount


def yen_of(typed: str) -> int | None:
    """An amount in any width, with or without commas and 円; None if it is no amount."""
    digits = unicodedata.normalize("NFKC", typed).strip().removesuffix("円").replace(",", "").strip()
    return int(digits) if _YEN.fullmatch(digits) else None


_FIELDS = {"/completion_mail/address": "mail_address", "/reason": "reason"}


def labels_of(folder: Folder, kind: ChangeKind) -> dict[str, str]:
    """The fields that a form of this kind shows, by name, and what people call them."""
    corrects = kind is ChangeKind.CORRECTION
    own = {one.name: one.label for one in fields_of(folder)} if corrects else {"confirmed": "内容の確認"}
    mail = {"mail_address": "メールアドレス"} if folder.is_electronic else {}
    return own | {"reason": "理由"} | mail


def by_field(problems: Sequence[Mapping[str, Any]], shown: Collection[str]) -> dict[str, list[str]]:
    """What is wrong, in Japanese, by the name of the shown field it belongs to; what belongs to none is under ''."""
    told: dict[str, list[str]] = {}
    for problem in problems:
        pointer = str(problem.get("pointer", ""))
        name = _FIELDS.get(pointer, pointer.removeprefix("/corrections/"))
        told.setdefault(name if name in shown else "", []).append(str(problem["message_ja"]))
    return told
