"""A certificate as the check screen shows it: digest and signature checked anew, nothing taken for granted."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from simulators.clock import TOKYO
from simulators.platform.certificate import signed_bytes
from simulators.platform.signature import KeysUnavailable, SigningKeys

VERSION_KIND_JA = {
    "new": "新規",
    "change": "変更",
    "correction": "訂正",
    "change_cancellation": "変更取消",
    "termination": "解約",
}


class Signature(StrEnum):
    """What came of checking a version."""

    RIGHT = "right"
    WRONG = "wrong"
    DIGEST_WRONG = "digest_wrong"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """One version: its certificate as it arrived, and what came of checking it.

    Attributes:
        digest: SHA-256 of the canonical certificate as it is now, hexadecimal.
        data: the signed data as text, to be kept or checked elsewhere.
    """

    version: int
    kind: str
    kind_ja: str
    arrived_at: datetime
    certificate: Mapping[str, Any]
    digest: str
    signature: Signature
    data: str


@dataclass(frozen=True, slots=True)
class Shown:
    """All versions, newest first, and what is to be said about the latest one on this day."""

    latest: ShownVersion
    versions: tuple[ShownVersion, ...]
    is_ended: bool
    is_cancelled_change: bool
    has_expired: bool


async def shown(versions: Sequence[Mapping[str, Any]], keys: SigningKeys | None, today: date) -> Shown:
    """What the check screen shows of these versions, which come oldest first, as `checks.judge` gives them."""
    told: list[ShownVersion] = []
    for one in reversed(versions):
        told.append(await _shown_version(one, keys))
        # Keys that cannot be read are not asked for again with every version, or an official would wait for each.
        keys = None if told[-1].signature is Signature.UNCHECKED else keys
    latest = told[0]
    until = date.fromisoformat(str(latest.certificate["guarantee_until"]))
    return Shown(
        latest=latest,
        versions=tuple(told),
        is_ended=latest.kind == "termination",
        is_cancelled_change=latest.kind == "change_cancellation",
        has_expired=until < today,
    )


async def _shown_version(version: Mapping[str, Any], keys: SigningKeys | None) -> ShownVersion:
    certificate: Mapping[str, Any] = version["certificate"]
    signed = signed_bytes(certificate)
    digest = hashlib.sha256(signed).hexdigest()
    return ShownVersion(
        version=version["version"],
        kind=version["version_kind"],
        kind_ja=VERSION_KIND_JA.get(version["version_kind"], version["version_kind"]),
        arrived_at=arrival(version["arrived_at"]),
        certificate=certificate,
        digest=digest,
        signature=await _signature(certificate, signed, digest, keys),
        data=json.dumps(certificate, ensure_ascii=False, indent=2),
    )


async def _signature(certificate: Mapping[str, Any], signed: bytes, digest: str, keys: SigningKeys | None) -> Signature:
    if not hmac.compare_digest(digest, str(certificate["content_sha256"])):
        return Signature.DIGEST_WRONG
    if keys is None:
        return Signature.UNCHECKED
    try:
        right = await keys.verify(signed, str(certificate["signature"]))
    except KeysUnavailable:
        return Signature.UNCHECKED
    return Signature.RIGHT if right else Signature.WRONG


def arrival(written: str) -> datetime:
    """発行日時 in Japan. The platform's own stamp may be in any zone and, after a marker, in lower case."""
    return datetime.fromisoformat(written.upper()).astimezone(TOKYO)
