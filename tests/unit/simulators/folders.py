"""Folders of the office for tests, in the published shapes."""

import json
from pathlib import Path
from typing import Any

from simulators.core.office import Folder

EXAMPLES = Path(__file__).parents[2] / "contract" / "examples"
NUMBER = "00000-000001"


def example(name: str) -> dict[str, Any]:
    """A published example."""
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def row(version: int, kind: str = "new", state: str = "arrived", **changed: Any) -> dict[str, Any]:
    """A row of the history as the office gets it."""
    issued_at = "2026-01-15T09:30:02.117+09:00" if state not in {"in_transit", "refused", "ordered"} else None
    names = {
        "new": "新規",
        "change": "変更",
        "correction": "訂正",
        "change_cancellation": "変更取消",
        "termination": "解約",
    }
    return {
        "no": None,
        "version": version,
        "version_kind": kind,
        "version_kind_ja": names[kind],
        "issued_at": issued_at,
        "state": state,
        "note": None,
    } | changed


def guarantee(*history: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A guarantee as the issuer tells it to the office."""
    return {
        "guarantee_number": NUMBER,
        "application_id": "A-2026-000123",
        "portal": "portal-a",
        "kind": "advance_payment",
        "product_name": "前払金保証",
        "obligee_name": "三島市長",
        "project_name": "市道○○線道路改良工事",
        "contractor_name": "○○建設 株式会社",
        "jv_name": None,
        "depository": "○○銀行　××支店",
        "price": 50_000_000,
        "amount": 20_000_000,
        "certificate_form": "electronic",
        "status": "active",
        "status_ja": "発行済",
        "issued_at": "2026-01-15T09:30:02.117+09:00",
        "version": history[-1]["version"] if history else None,
        "guarantee_until": "2026-12-25",
        "remarks": [],
        "problems": [],
        "message_from_guarantor": None,
        "completion_mail": {"wanted": True, "state": "sent", "refusal": None},
        "history": list(history),
    } | changed


def folder(*history: dict[str, Any], certificate: dict[str, Any] | None = None, **changed: Any) -> Folder:
    """A folder around such a guarantee; electronic ones have the published certificate."""
    told = guarantee(*history, **changed)
    application = example("application")
    paper = told["certificate_form"] == "paper"
    return Folder(
        guarantee=told,
        application=application,
        line=application["guarantees"][0],
        place=0,
        certificate=None if paper else (certificate or example("certificate")),
        base_version=told["version"] or 1,
    )
