"""Signing makes an electronic certificate proof of itself: canonical JSON, SHA-256, detached JWS by Ed25519.

The signed bytes are the canonical JSON (RFC 8785) of the certificate without the three members that cannot be part of
it (``UNSIGNED_MEMBERS``). The signature is a JWS with detached (RFC 7515, appendix F) and unencoded (RFC 7797) payload,
algorithm ``Ed25519`` of RFC 9864. The public keys are published as a JWK set (RFC 7517, 8037).
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Self

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.errors import Unprocessable
from shared.sealing import parse_named_keys

SEED_BYTES: Final = 32

UNSIGNED_MEMBERS: Final = frozenset({"auth_key", "content_sha256", "signature"})

_ALGORITHM: Final = "Ed25519"

_INTEGER_MAX: Final = 2**53 - 1
_PLAIN_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


class Uncanonical(Unprocessable):
    """This value has no canonical JSON form (a number beyond 2^53, NaN, a lone surrogate); mend where it was made."""

    code = "uncanonical"


def _is_plain(value: object) -> bool:
    """Whether a value holds only what has one spelling: no floats, and no keys whose order depends on their coding."""
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int):
        return -_INTEGER_MAX <= value <= _INTEGER_MAX
    if isinstance(value, dict):
        return all(isinstance(key, str) and key.isascii() and _is_plain(inner) for key, inner in value.items())
    return isinstance(value, list) and all(map(_is_plain, value))


def canonical(value: Any) -> bytes:
    """Write a JSON value in its one canonical form (RFC 8785), UTF-8.

    Raises:
        Uncanonical: if the value has none.
    """
    try:
        if _is_plain(value):
            # The standard library's encoder writes such values in the same bytes, several times as fast.
            return _PLAIN_ENCODER.encode(value).encode()
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        # The library's message quotes the value, which can be private.
        raise Uncanonical from None


def signed_content(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """Take the members of a certificate that digest and signature are made over."""
    return {name: value for name, value in certificate.items() if name not in UNSIGNED_MEMBERS}


def content_sha256(value: Any) -> str:
    """Digest a value's canonical form: SHA-256, lower-case hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    # Strict: base64 of the standard library skips foreign letters, and a signature must have one spelling only.
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _base64url(raw) != text:
        raise ValueError("not base64url")
    return raw


class _SigningKey:
    """One private key with everything that is the same for each signature, made once."""

    def __init__(self, kid: str, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        header = {"alg": _ALGORITHM, "kid": kid, "b64": False, "crit": ["b64"]}
        self._protected = _base64url(json.dumps(header, separators=(",", ":")).encode())
        self._prefix = self._protected.encode() + b"."
        self.public = {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": kid,
            "alg": _ALGORITHM,
            "use": "sig",
            "x": _base64url(self._private.public_key().public_bytes_raw()),
        }

    def sign(self, payload: bytes) -> str:
        return f"{self._protected}..{_base64url(self._private.sign(self._prefix + payload))}"


class SigningKeys:
    """The guarantor's signing keys: the first signs, all are published. Shows its key ids, never its keys."""

    def __init__(self, seeds: Sequence[tuple[str, bytes]]) -> None:
        self._keys = {kid: _SigningKey(kid, seed) for kid, seed in seeds}
        self._first = self._keys[seeds[0][0]]

    @classmethod
    def parse(cls, secret: str) -> Self:
        """Read ``kid:base64-32-byte-seed[,kid:…]``; the first one signs.

        Raises:
            Misconfigured: naming the position and what to mend there, never the value.
        """
        return cls(parse_named_keys(secret, length=SEED_BYTES))

    def sign(self, payload: bytes) -> str:
        """Sign these bytes; gives the detached JWS."""
        return self._first.sign(payload)

    def jwks(self) -> dict[str, Any]:
        """Give the public keys as a JWK set, the signing one first."""
        return {"keys": [dict(key.public) for key in self._keys.values()]}

    def __repr__(self) -> str:
        return f"SigningKeys(kids={', '.join(self._keys)})"


def kid_of(jws: str) -> str | None:
    """Read by which key a detached JWS says it was made; None if it says nothing that can be read."""
    try:
        header = json.loads(_from_base64url(jws.split(".", maxsplit=1)[0]))
    except ValueError:
        return None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None


@lru_cache(maxsize=64)
def _public_key(x: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_from_base64url(x))


def _verifying_key(header: Mapping[str, Any], jwks: Mapping[str, Any]) -> Ed25519PublicKey | None:
    """Find the key a header names, if the header is one of ours in every respect."""
    if header.get("alg") != _ALGORITHM or header.get("b64") is not False or header.get("crit") != ["b64"]:
        return None
    for key in jwks["keys"]:
        if key.get("kid") == header.get("kid") and (key.get("kty"), key.get("crv")) == ("OKP", "Ed25519"):
            return _public_key(key["x"])
    return None


def verify(payload: bytes, jws: str, jwks: Mapping[str, Any]) -> bool:
    """Tell whether ``jws`` is a detached signature over exactly these bytes by a key of ``jwks``.

    Whatever is wrong with it, the answer is no; only the algorithm and the header we write ourselves are taken.
    """
    try:
        protected, nothing, signature = jws.split(".")
        header = json.loads(_from_base64url(protected))
        key = _verifying_key(header, jwks) if not nothing and isinstance(header, dict) else None
        if key is None:
            return False
        key.verify(_from_base64url(signature), protected.encode() + b"." + payload)
    except (InvalidSignature, ValueError, KeyError, TypeError, AttributeError):
        return False
    return True
