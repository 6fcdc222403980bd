"""Numbers and words of a guarantee: 保証契約番号, 商品名, 対象, and what an authentication key is made of."""

import re
import string
from collections.abc import Mapping
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from shared.messages.intake import Kind

TOKYO: Final = ZoneInfo("Asia/Tokyo")
"""The zone of every date and time that people are shown."""

SERIAL_MAX: Final = 99_999_999_999
GUARANTEE_NUMBER: Final = re.compile(r"[0-9]{5}-[0-9]{6}")

_TAIL: Final = 10**6

AUTH_KEY_ALPHABET: Final = string.ascii_uppercase + string.ascii_lowercase + string.digits
AUTH_KEY_CHARACTERS: Final = 12

PRODUCT_NAMES: Final[Mapping[Kind, str]] = {
    "advance_payment": "前払金保証",
    "interim_advance_payment": "中間前払金保証",
    "contract_performance": "契約保証",
}


class VersionKind(StrEnum):
    """対象: why a version was made."""

    NEW = "new"
    CHANGE = "change"
    CORRECTION = "correction"
    CHANGE_CANCELLATION = "change_cancellation"
    TERMINATION = "termination"


VERSION_KIND_JA: Final[Mapping[VersionKind, str]] = {
    VersionKind.NEW: "新規",
    VersionKind.CHANGE: "変更",
    VersionKind.CORRECTION: "訂正",
    VersionKind.CHANGE_CANCELLATION: "変更取消",
    VersionKind.TERMINATION: "解約",
}


def guarantee_number_of(serial: int) -> str:
    """保証契約番号: one sequence n, written `n // 10^6` – `n % 10^6`, zero-padded: 1 is `00000-000001` [D].

    Raises:
        ValueError: if the number does not fit into eleven digits.
    """
    if not 1 <= serial <= SERIAL_MAX:
        raise ValueError(f"a guarantee number is made of 1 to {SERIAL_MAX}, not of {serial}")
    return f"{serial // _TAIL:05}-{serial % _TAIL:06}"
