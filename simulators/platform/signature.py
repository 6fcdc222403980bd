"""Verifying detached Ed25519 signatures against the issuer's published keys (RFC 7515, 7797, 9864)."""

import asyncio
import base64
import binascii
import json
from datetime import datetime

import aiohttp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from simulators.clock import monotonic_s, now

FETCH_S_MAX = 5.0
FETCH_AGAIN_S_MIN = 5.0
JWKS_BYTES_MAX = 65_536


class KeysUnavailable(Exception):
    """Raised when the published keys cannot be read; the answer is 503, so that the caller comes again."""


class SigningKeys:
    """The issuer's public keys, fetched at the first need and again when an unknown key id is met.

    Attributes:
        url: where they are published.
        fetched_at: when they were read last; None before that.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.fetched_at: datetime | None = None
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._fetched_s: float | None = None
        self._fetching = asyncio.Lock()

    async def verify(self, payload: bytes, jws: str) -> bool:
        """Whether the signature is by a published key over these bytes. Raises KeysUnavailable."""
        header, _, signature = jws.partition("..")
        kid = _kid_of(header)
        if kid is None:
            return False
        key = self._keys.get(kid) or await self._fetched(kid)
        if key is None:
            return False
        try:
            key.verify(_decoded(signature), header.encode() + b"." + payload)
        except (InvalidSignature, binascii.Error):
            return False
        return True

    async def _fetched(self, kid: str) -> Ed25519PublicKey | None:
        async with self._fetching:
            fresh = self._fetched_s is not None and monotonic_s() - self._fetched_s < FETCH_AGAIN_S_MIN
            if kid not in self._keys and not fresh:
                self._keys = await _fetch(self.url)
                self._fetched_s, self.fetched_at = monotonic_s(), now()
            return self._keys.get(kid)


async def _fetch(url: str) -> dict[str, Ed25519PublicKey]:
    limit = aiohttp.ClientTimeout(total=FETCH_S_MAX)
    try:
        async with aiohttp.ClientSession(timeout=limit) as session, session.get(url) as answer:
            if answer.status != 200:
                raise KeysUnavailable(f"The issuer's keys were answered with {answer.status}.")
            text = await answer.content.read(JWKS_BYTES_MAX)
            return _read_keys(text)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise KeysUnavailable("The issuer's keys cannot be read.") from error


def _read_keys(text: bytes) -> dict[str, Ed25519PublicKey]:
    published = json.loads(text)
    if not isinstance(published, dict) or not isinstance(published.get("keys"), list):
        raise KeysUnavailable("The issuer's answer is no key set.")
    keys: dict[str, Ed25519PublicKey] = {}
    for key in published["keys"]:
        if isinstance(key, dict) and key.get("kty") == "OKP" and key.get("crv") == "Ed25519":
            keys[str(key.get("kid"))] = Ed25519PublicKey.from_public_bytes(_decoded(str(key.get("x"))))
    return keys


def _kid_of(header: str) -> str | None:
    try:
        fields = json.loads(_decoded(header))
    except ValueError:
        return None
    right = {"alg": "Ed25519", "b64": False, "crit": ["b64"]}
    if not isinstance(fields, dict) or any(fields.get(name) != value for name, value in right.items()):
        return None
    kid = fields.get("kid")
    return kid if isinstance(kid, str) else None


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
