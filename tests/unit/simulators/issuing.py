"""An issuer for tests: makes certificates as the contract describes them, signs them and publishes its key."""

import base64
import hashlib
import itertools
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

AUTH_KEY = "Z28YUE4J3Bux"
KID = "test-1"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Gives every certificate a number of its own."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._numbers = itertools.count(1)

    def jwks(self) -> dict[str, Any]:
        """The published key."""
        x = _text(self._key.public_key().public_bytes_raw())
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": KID, "alg": "Ed25519", "use": "sig", "x": x}]}

    def certificate(self, marker: str = "", **changed: Any) -> dict[str, Any]:
        """A signed certificate; `marker` goes into its project name."""
        content = {
            "guarantee_number": f"00000-{next(self._numbers):06d}",
            "version": 1,
            "version_kind": "new",
            "kind": "advance_payment",
            "product_name": "前払金保証",
            "guarantor": "○○建設業保証株式会社",
            "contractor": {"name": "髙橋建設 株式会社", "jv_name": None},
            "obligee": {"code": "222062", "name": "三島市長"},
            "project_name": f"市道○○線道路改良工事 {marker}".strip(),
            "contract_date": "2026-01-20",
            "works_from": "2026-01-21",
            "works_until": "2026-12-25",
            "price": 50_000_000,
            "fiscal_year_amount": None,
            "amount": 20_000_000,
            "depository": "○○銀行　××支店",
            "guarantee_from": "2026-01-20",
            "guarantee_until": "2026-12-25",
            "concluded_at": "2026-01-15T09:30:01.200+09:00",
        } | changed
        signed = rfc8785.dumps(content)  # type: ignore[arg-type]  # Its values are JSON, whatever their type says.
        header = _text(b'{"alg":"Ed25519","kid":"%s","b64":false,"crit":["b64"]}' % KID.encode())
        signature = _text(self._key.sign(header.encode() + b"." + signed))
        return content | {
            "auth_key": AUTH_KEY,
            "content_sha256": hashlib.sha256(signed).hexdigest(),
            "signature": f"{header}..{signature}",
        }
