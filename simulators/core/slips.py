"""Slips of the pen in the office's forms: found before anything is sent, so that they are no refusal of the system.

Only what no reader could make sense of is a slip. Whether values are allowed is judged by the doors alone.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date

from simulators.core.changes import (
    REASON_CHARS_MAX,
    ChangeKind,
    Corrected,
    Draft,
    Shape,
    corrections_of,
    fields_of,
    new_draft,
    yen_of,
)
from simulators.core.office import Folder

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")

UNCONFIRMED = "内容を確認し、「確認しました」にチェックを入れてください。"
EMPTIED = "空欄にはできません。正しい内容を入力してください。"
NO_YEN = "金額として読めません。数字だけで入力してください（例：20,000,000）。"
NO_DAY = "日付として読めません。年・月・日を確かめてください（例：2026-01-20）。"
NO_REASON = "お引受できない理由を入力してください。"
REASON_TOO_LONG = f"{REASON_CHARS_MAX:,}文字以内で入力してください。"
NO_ADDRESS = "送信する場合は、メールアドレスを入力してください。"
UNLIKE_AN_ADDRESS = "メールアドレスとして読めません（例：keiri@kensetsu.example）。"
NOTHING_MENDED = "直した項目がありません。誤っている項目を直してから送信してください。"

Slips = Mapping[str, list[str]]
"""Sentences by the name of the field they belong to; under '' what belongs to none."""


def slips_of(folder: Folder, kind: ChangeKind, draft: Draft) -> Slips:
    """What is to be mended before a change can be sent; empty if it can."""
    found: dict[str, list[str]] = {}
    if kind is ChangeKind.CORRECTION:
        found |= {name: [said] for name, said in _of_values(folder, draft)}
        if not found and not corrections_of(folder, draft):
            found[""] = [NOTHING_MENDED]
    elif not draft.confirmed:
        found["confirmed"] = [UNCONFIRMED]
    if len(draft.reason.strip()) > REASON_CHARS_MAX:
        found["reason"] = [REASON_TOO_LONG]
    if draft.mail_wanted and _ADDRESS.fullmatch(draft.mail_address) is None:
        found["mail_address"] = [UNLIKE_AN_ADDRESS if draft.mail_address else NO_ADDRESS]
    return found


def _of_values(folder: Folder, draft: Draft) -> Iterator[tuple[str, str]]:
    """What was changed in a field and cannot be read; what nobody touched is no slip of the office's."""
    before = new_draft(folder).typed
    for one in fields_of(folder):
        typed = draft.typed[one.name].strip()
        if typed != before[one.name].strip() and (said := _unreadable(one, typed)):
            yield one.name, said


def _unreadable(one: Corrected, typed: str) -> str | None:
    if not typed:
        return None if one.may_be_empty else EMPTIED
    if one.shape is Shape.YEN and yen_of(typed) is None:
        return NO_YEN
    if one.shape is Shape.DAY and not _is_a_day(typed):
        return NO_DAY
    return None


def _is_a_day(typed: str) -> bool:
    if _ISO_DAY.fullmatch(typed) is None:
        return False
    try:
        date.fromisoformat(typed)
    except ValueError:
        return False
    return True
