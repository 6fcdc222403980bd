"""What stands on the two papers, as plain values; nothing here knows how they look."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.issuer.domain.names import TOKYO, VERSION_KIND_JA, VersionKind
from shared.errors import Unprocessable

NOTHING: Final = "―"
"""Stands where the contract has no such thing, so that an empty line is never taken for a forgotten one."""

REIWA_FROM: Final = date(2019, 5, 1)
_REIWA_ZERO: Final = 2018

_KINDS: Final = {
    "advance_payment": "前払金保証",
    "interim_advance_payment": "中間前払金保証",
    "contract_performance": "契約保証",
}

# Every member of the signed data by its JSON Pointer. What is not named here is shown all the same, by its pointer.
_SECTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "保証契約": {
        "/guarantee_number": "保証契約番号",
        "/version": "版",
        "/version_kind": "対象",
        "/product_name": "商品名",
        "/kind": "保証種類",
        "/amount": "保証金額",
        "/guarantee_from": "保証期間の始まり",
        "/guarantee_until": "保証期限",
        "/depository": "預託金融機関",
        "/guarantor": "保証事業会社",
        "/concluded_at": "締結日時",
    },
    "請負契約": {
        "/contractor/name": "請負契約者",
        "/contractor/jv_name": "JV名",
        "/obligee/name": "発注者名",
        "/obligee/code": "発注者コード",
        "/project_name": "工事名",
        "/contract_date": "契約日",
        "/works_from": "工期の始まり",
        "/works_until": "工期の終わり",
        "/price": "請負金額",
        "/fiscal_year_amount": "今年度対象額",
    },
}
_REST: Final = "その他の記載"
_MONEY: Final = {"/amount", "/price", "/fiscal_year_amount"}
_DAYS: Final = {"/guarantee_from", "/guarantee_until", "/contract_date", "/works_from", "/works_until"}


class UnreadableCertificate(Unprocessable):
    """A stored certificate cannot be read as signed data; compare the version's row with what the platform has."""

    code = "unreadable_certificate"


@dataclass(frozen=True, slots=True)
class Advice:
    """How the obligee wants to be handed the key; all None where it says nothing."""

    submit_to: str | None = None
    mail_subject: str | None = None
    advice_ja: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """What a key notice tells of a guarantee: its latest issued version. Money is whole yen."""

    guarantee_number: str
    contractor: str
    jv_name: str | None
    project_name: str
    obligee: str
    price: int
    amount: int
    guarantee_until: date
    product_name: str
    depository: str | None
    guarantor: str
    issued_at: datetime
    advice: Advice


@dataclass(frozen=True, slots=True)
class KeyNotice:
    """電子保証にかかる「認証キー」のお知らせ.

    Attributes:
        page: the platform's page on which an official enters number and key; None leaves QR code and address out.
    """

    overview: Overview
    auth_key: str = field(repr=False)
    made_at: datetime
    page: str | None

    def order(self) -> bytes:
        """What the press is told to print."""
        seen = self.overview
        facts = [
            ("保証契約番号", seen.guarantee_number),
            ("請負契約者", seen.contractor),
            ("JV名", seen.jv_name or NOTHING),
            ("工事名", seen.project_name),
            ("発注者名", seen.obligee),
            ("請負金額", yen(seen.price)),
            ("保証金額", yen(seen.amount)),
            ("保証期限", day(seen.guarantee_until)),
            ("商品名", seen.product_name),
            ("預託金融機関", seen.depository or NOTHING),
            ("電子保証発行日時", minute(seen.issued_at)),
        ]
        told = (
            ("提出先", seen.advice.submit_to),
            ("メールの件名", seen.advice.mail_subject),
            ("発注者からのご案内", seen.advice.advice_ja),
        )
        return _order(
            "notice",
            at=self.made_at,
            number=seen.guarantee_number,
            made_at=minute(self.made_at),
            key=self.auth_key,
            page=self.page,
            shown={
                "contractor": seen.contractor,
                "guarantor": seen.guarantor,
                "facts": facts,
                "advice": [(name, text) for name, text in told if text],
                "page": self.page or "",
            },
        )


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """電子証書: the canonical text that was signed, with its digest and its detached signature."""

    canonical: str
    content_sha256: str
    signature: str

    def original(self) -> dict[str, Any]:
        """The signed data as it is published.

        Raises:
            UnreadableCertificate: if the text is no JSON object.
        """
        try:
            content = json.loads(self.canonical)
        except ValueError:
            raise UnreadableCertificate from None
        if not isinstance(content, dict):
            raise UnreadableCertificate
        return content | {"content_sha256": self.content_sha256, "signature": self.signature}

    def order(self) -> bytes:
        """What the press is told to print. The same certificate gives the same order, and that the same paper.

        Raises:
            UnreadableCertificate: if text or signature cannot be read.
        """
        original = self.original()
        content = json.loads(self.canonical)
        header = _header(self.signature)
        return _order(
            "certificate",
            at=_moment(content.get("concluded_at")),
            name=f"{content.get('guarantee_number')}/{content.get('version')}",
            original=json.dumps(original, ensure_ascii=False, indent=2) + "\n",
            shown={
                "product": str(content.get("product_name", NOTHING)),
                "sections": _sections(content),
                "digest": self.content_sha256,
                "signature": self.signature,
                "key_id": str(header.get("kid", NOTHING)),
                "algorithm": str(header.get("alg", NOTHING)),
            },
        )


def yen(amount: int) -> str:
    """50000000 → `50,000,000 円`."""
    return f"{amount:,} 円"


def minute(moment: datetime) -> str:
    """Japan time, truncated to the minute, as on the portal."""
    return moment.astimezone(TOKYO).strftime("%Y/%m/%d %H:%M")


def day(written: date) -> str:
    """A date in both calendars: `2026年1月20日（令和8年1月20日）`."""
    told = f"{written.year}年{written.month}月{written.day}日"
    if written < REIWA_FROM:
        return told
    year = written.year - _REIWA_ZERO
    return f"{told}（令和{'元' if year == 1 else year}年{written.month}月{written.day}日）"


def _order(paper: str, *, at: datetime, **given: Any) -> bytes:
    return json.dumps({"paper": paper, "at": int(at.timestamp()), "given": given}, ensure_ascii=False).encode()


def _header(signature: str) -> dict[str, Any]:
    protected = signature.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    except (binascii.Error, ValueError):
        raise UnreadableCertificate from None
    if not isinstance(header, dict):
        raise UnreadableCertificate
    return header


def _moment(written: object) -> datetime:
    try:
        return datetime.fromisoformat(str(written)).astimezone(TOKYO)
    except ValueError:
        raise UnreadableCertificate from None


def _sections(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    leaves = dict(_leaves(content, ""))
    sections: list[dict[str, Any]] = []
    for title, labels in _SECTIONS.items():
        rows = [(label, _told(pointer, leaves.pop(pointer))) for pointer, label in labels.items() if pointer in leaves]
        sections.append({"title": title, "rows": rows})
    if leaves:
        sections.append({"title": _REST, "rows": [(pointer, _told(pointer, leaf)) for pointer, leaf in leaves.items()]})
    return sections


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, below in value.items():
            yield from _leaves(below, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for place, below in enumerate(value):
            yield from _leaves(below, f"{pointer}/{place}")
    else:
        yield pointer, value


def _told(pointer: str, leaf: Any) -> str:
    """A value for people. What is not of its usual form is shown as it was signed."""
    if leaf is None:
        return NOTHING
    if pointer in _MONEY and type(leaf) is int:
        return yen(leaf)
    if not isinstance(leaf, str):
        return json.dumps(leaf, ensure_ascii=False)
    try:
        if pointer in _DAYS:
            return day(date.fromisoformat(leaf))
        if pointer == "/concluded_at":
            return datetime.fromisoformat(leaf).astimezone(TOKYO).strftime("%Y/%m/%d %H:%M:%S.%f")[:-3] + "（日本時間）"
        if pointer == "/version_kind":
            return VERSION_KIND_JA[VersionKind(leaf)]
    except ValueError:
        return leaf
    return _KINDS.get(leaf, leaf) if pointer == "/kind" else leaf
