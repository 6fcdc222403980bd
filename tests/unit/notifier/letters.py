"""A completion mail to try things on."""

from datetime import datetime
from typing import Any

from services.notifier.domain.letter import Letter


def letter(**changed: Any) -> Letter:
    """A letter as the contracts' example would give it."""
    given: dict[str, Any] = {
        "portal": "portal-a",
        "application_id": "A-2026-000123",
        "guarantee_number": "00000-000001",
        "version": 1,
        "version_kind": "new",
        "product_name": "前払金保証",
        "contractor_name": "髙橋建設 株式会社",
        "obligee_name": "三島市長",
        "project_name": "市道○○線道路改良工事",
        "issued_at": datetime.fromisoformat("2026-01-15T09:30:59.999+09:00"),
        "address": "tanaka@kensetsu.example",
        "link": "https://portal-a.example/",
        "message_id": "00000-000001.1.71741bae-14ea@hosho.example",
    }
    return Letter(**(given | changed))
