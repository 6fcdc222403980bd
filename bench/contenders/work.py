"""What the work is, for all contenders but the product: what the facts hold, what stands on certificate and mail.

Plain functions of plain values without a rule in them, so that each contender spends its time on what it is measured
for: how it hears, keeps and tells.
"""

import secrets
import string
from typing import Any, Final

from bench.applications import PORTAL
from shared.messages.intake import ApplicationAccepted
from shared.messages.issuer import CertificateCreated, GuaranteeIssued, GuaranteeStatusChanged
from shared.messages.notifier import MailSent
from shared.messages.platform_bridge import CertificateArrived

Json = dict[str, Any]

ACCEPTED: Final = ApplicationAccepted.TYPE
CREATED: Final = CertificateCreated.TYPE
ARRIVED: Final = CertificateArrived.TYPE
ISSUED: Final = GuaranteeIssued.TYPE
STATUS_CHANGED: Final = GuaranteeStatusChanged.TYPE
MAIL_SENT: Final = MailSent.TYPE

_KEY_LETTERS: Final = string.ascii_letters + string.digits
_KEY_CHARACTERS: Final = 12

SUBJECT: Final = "電子保証（認証キー）発行完了のお知らせ"

MAIL_TEXT: Final = """{contractor_name} 様

電子保証（認証キー）の発行が完了しましたので、お知らせいたします。

保証契約番号：{guarantee_number}
商品名：前払金保証
対象：新規
工事名：{project_name}
発注者名：{obligee_name}
電子保証発行日時：{issued_at}

認証キーはこのメールには記載しておりません。ポータルにログインし、
「保証契約一覧」の「電子保証 (認証キー)」タブから「詳細」を開いてご確認ください。

https://portal-c.example/

※このメールは自動でお送りしています。このメールにご返信いただいても、お答えできません。
"""

MAIL_HTML: Final = """<!DOCTYPE html>
<html lang="ja">
<head><meta charset="utf-8"><title>電子保証（認証キー）発行完了のお知らせ</title></head>
<body style="font-family:sans-serif;line-height:1.6;color:#222">
<p>{contractor_name} 様</p>
<p>電子保証（認証キー）の発行が完了しましたので、お知らせいたします。</p>
<table style="border-collapse:collapse">
<tr><th>保証契約番号</th><td>{guarantee_number}</td></tr>
<tr><th>商品名</th><td>前払金保証</td></tr>
<tr><th>対象</th><td>新規</td></tr>
<tr><th>工事名</th><td>{project_name}</td></tr>
<tr><th>発注者名</th><td>{obligee_name}</td></tr>
<tr><th>電子保証発行日時</th><td>{issued_at}</td></tr>
</table>
<p>認証キーはこのメールには記載しておりません。ポータルにログインし、<br>
「保証契約一覧」の「電子保証 (認証キー)」タブから「詳細」を開いてご確認ください。</p>
<p><a href="https://portal-c.example/">https://portal-c.example/</a></p>
<p style="font-size:small">※このメールは自動でお送りしています。このメールにご返信いただいても、お答えできません。</p>
</body>
</html>
"""


def answer_headers(kind: str, name: str, at: str) -> Json:
    """What the contract puts into the headers of an answer: the fact's attributes in CloudEvents' binary mode."""
    return {
        "cloudEvents_specversion": "1.0",
        "cloudEvents_id": f"{name}/{kind}/{at}",
        "cloudEvents_source": "/bench",
        "cloudEvents_type": kind,
        "cloudEvents_subject": f"{PORTAL}/{name}",
        "cloudEvents_time": at,
    }


def number_of(serial: int) -> str:
    """A guarantee number as it is written."""
    return f"{serial // 1_000_000:05d}-{serial % 1_000_000:06d}"


def auth_key() -> str:
    """A fresh authentication key."""
    return "".join(secrets.choice(_KEY_LETTERS) for _ in range(_KEY_CHARACTERS))


def message_id_of(guarantee_number: str) -> str:
    """The Message-ID of the mail about a guarantee's first version."""
    return f"{guarantee_number}.1@hosho.example"


def answer_data(form: Json, at: str) -> Json:
    """What the portal is told of an accepted application."""
    lines = [{"kind": line["kind"], "certificate_form": line["certificate_form"]} for line in form["guarantees"]]
    told = {"portal": PORTAL, "application_id": form["application_id"], "accepted_at": at}
    return {**told, "remarks": [], "lines": lines}


def certificate_of(form: Json, guarantee_number: str, at: str) -> Json:
    """What stands on the certificate."""
    contract, line = form["contract"], form["guarantees"][0]
    return {
        "guarantee_number": guarantee_number,
        "version": 1,
        "version_kind": "new",
        "kind": line["kind"],
        "product_name": "前払金保証",
        "guarantor": "○○建設業保証株式会社",
        "contractor": {"name": form["contractor"]["name"], "jv_name": form["contractor"]["jv_name"]},
        "obligee": {"code": contract["obligee_code"], "name": contract["obligee_name"]},
        "project_name": contract["project_name"],
        "contract_date": contract["contract_date"],
        "works_from": contract["works_from"],
        "works_until": contract["works_until"],
        "price": contract["price"],
        "fiscal_year_amount": contract["fiscal_year_amount"],
        "amount": line["amount"],
        "depository": line["depository"],
        "guarantee_from": contract["contract_date"],
        "guarantee_until": contract["works_until"],
        "concluded_at": at,
    }


def created_data(form: Json, guarantee_number: str, certificate: str, at: str) -> Json:
    """What the bridge is told of a certificate."""
    return {
        **_named(form["application_id"], guarantee_number),
        "version_kind": "new",
        "kind": form["guarantees"][0]["kind"],
        "concluded_at": at,
        "certificate": certificate,
        "auth_key": auth_key(),
    }


def status_data(application_id: str, guarantee_number: str, change: tuple[str, str, str], at: str) -> Json:
    """What the portal is told of a status; `change` is from, to and to in Japanese."""
    before, after, shown = change
    return {
        "portal": PORTAL,
        "application_id": application_id,
        "guarantee_number": guarantee_number,
        "kind": "advance_payment",
        "from": before,
        "to": after,
        "status_ja": shown,
        "problems": [],
        "message_from_guarantor": None,
        "at": at,
    }


IN_TRANSIT: Final = ("requested", "in_transit", "電子証書送信中")
ACTIVE: Final = ("in_transit", "active", "発行済")


def arrived_data(created: Json, answer: Json) -> Json:
    """What the issuer is told of the platform's answer."""
    named = _named(created["application_id"], created["guarantee_number"])
    return {**named, "arrived_at": answer["arrived_at"], "certificate_id": answer["certificate_id"]}


def issued_data(arrived: Json, row: Json) -> Json:
    """What the notifier is told; `row` holds what the mail says."""
    return {**shown_issued_data(arrived), "completion_mail": {"wanted": True, "address": row["mail_address"]}, **row}


def shown_issued_data(arrived: Json) -> Json:
    """What the portal is told of an issued guarantee."""
    named = _named(arrived["application_id"], arrived["guarantee_number"])
    return {**named, "kind": "advance_payment", "version_kind": "new", "issued_at": arrived["arrived_at"]}


def sent_data(issued: Json, at: str) -> Json:
    """What the issuer is told of a mail."""
    number = issued["guarantee_number"]
    return {**_named(issued["application_id"], number), "message_id": message_id_of(number), "sent_at": at}


def _named(application_id: str, guarantee_number: str) -> Json:
    return {"portal": PORTAL, "application_id": application_id, "guarantee_number": guarantee_number, "version": 1}
