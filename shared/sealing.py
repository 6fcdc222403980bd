"""Sealing keeps an authentication key unreadable wherever it rests or travels: AES-256-GCM with a ring of keys.

A sealed text is ``v1.<kid>.<base64url(nonce || ciphertext)>``. The key id stands in front so that keys can be changed:
the first key of the ring seals, every key of it opens, and a key is retired when no row bears its id any more. The
guarantee number is associated data, so a sealed key copied into another guarantee's row does not open there.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared import clock
from shared.errors import Misconfigured, Unprocessable

KEY_BYTES: Final = 32

# Random nonces of 96 bits stay safe for 2^32 seals by one key (NIST SP 800-38D §8.3), far beyond our use of one.
_NONCE_BYTES: Final = 12

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SEALED: Final = re.compile(r"v1\.(?P<kid>[A-Za-z0-9_-]{1,32})\.(?P<body>[A-Za-z0-9_-]{38,})")


class Unopenable(Unprocessable):
    """This sealed text does not open: it was altered, belongs elsewhere, or its key is missing from the ring."""

    code = "unopenable"


def parse_named_keys(secret: str, *, length: int) -> list[tuple[str, bytes]]:
    """Read ``kid:base64[,kid:base64…]``, each key of ``length`` bytes, in the order given.

    Raises:
        Misconfigured: naming the position and what to mend there, never the value.
    """
    named: list[tuple[str, bytes]] = []
    for position, part in enumerate(secret.split(","), start=1):
        kid, colon, encoded = part.strip().partition(":")
        if not colon or not _KEY_ID.fullmatch(kid):
            raise Misconfigured(f"Key {position}: write it as kid:base64, the kid of A-Z a-z 0-9 _ -, up to 32.")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            raise Misconfigured(f"Key {position} ({kid}): what follows the colon is not base64.") from None
        if len(key) != length:
            raise Misconfigured(f"Key {position} ({kid}): must be {length} bytes long; it has {len(key)}.")
        named.append((kid, key))
    if len({kid for kid, _ in named}) < len(named):
        raise Misconfigured("A kid is given twice; every key needs an id of its own, for ever.")
    return named


def kid_of(sealed: str) -> str:
    """Tell which key sealed this text.

    Raises:
        Unopenable: if it is not a sealed text.
    """
    return _taken_apart(sealed)[0]


def _taken_apart(sealed: str) -> tuple[str, str]:
    found = _SEALED.fullmatch(sealed)
    if found is None:
        raise Unopenable("This is not a sealed text (v1.<kid>.<base64url>); look at where it came from.")
    return found["kid"], found["body"]


class KeyRing:
    """The keys that open what was sealed; the first of them seals. Shows its key ids, never its keys."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._ciphers = {kid: AESGCM(key) for kid, key in keys}
        self._first = keys[0][0]

    @classmethod
    def parse(cls, secret: str) -> Self:
        """Read ``kid:base64-32-bytes[,kid:…]``; the first one seals.

        Raises:
            Misconfigured: naming the position and what to mend there, never the value.
        """
        return cls(parse_named_keys(secret, length=KEY_BYTES))

    @property
    def kids(self) -> tuple[str, ...]:
        """The ids of all keys, the sealing one first."""
        return tuple(self._ciphers)

    def seal(self, plain: str, *, associated: str) -> str:
        """Seal ``plain`` so that it opens only together with ``associated`` (the guarantee number)."""
        nonce = clock.random_bytes(_NONCE_BYTES)
        closed = nonce + self._ciphers[self._first].encrypt(nonce, plain.encode(), associated.encode())
        return f"v1.{self._first}.{base64.urlsafe_b64encode(closed).rstrip(b'=').decode()}"

    def open(self, sealed: str, *, associated: str) -> str:
        """Open what was sealed for ``associated``.

        Raises:
            Unopenable: if it was altered, was sealed for something else, or its key is not in the ring.
        """
        kid, body = _taken_apart(sealed)
        cipher = self._ciphers.get(kid)
        if cipher is None:
            raise Unopenable(f"The key {kid!r} is not in the ring; add it again before it is tried once more.")
        try:
            closed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            if base64.urlsafe_b64encode(closed).rstrip(b"=").decode() != body:
                # The last letter has bits that decoding ignores; only one spelling of a sealed text is ours.
                raise ValueError("not as we write it")
            opened = cipher.decrypt(closed[:_NONCE_BYTES], closed[_NONCE_BYTES:], associated.encode())
            return opened.decode()
        except (InvalidTag, ValueError):
            # Which of the two it was would help only somebody who tries; the chain would carry the bytes.
            raise Unopenable from None

    def __repr__(self) -> str:
        return f"KeyRing(kids={', '.join(self._ciphers)})"
