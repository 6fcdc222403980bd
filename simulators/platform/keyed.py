"""Keyed digests: authentication keys and bodies are recognised again without being kept."""

import hashlib
import hmac
import os
from pathlib import Path

from simulators.clock import random_bytes

KEY_BYTES = 32


class KeyedDigest:
    """HMAC-SHA-256 under a random key that lies beside the database, readable by its owner only."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def beside(cls, storage: Path) -> "KeyedDigest":
        """The digest of this database; its key is made at the first start. Raises ValueError for a broken key file."""
        path = storage.with_name(storage.name + ".hmac-key")
        if not path.exists():
            _write_once(path, random_bytes(KEY_BYTES))
        key = path.read_bytes()
        if len(key) != KEY_BYTES:
            raise ValueError(f"{path.name} is broken; remove it together with its database.")
        return cls(key)

    def of_auth_key(self, guarantee_number: str, auth_key: str) -> bytes:
        """What is kept of an authentication key; the number makes equal keys look different."""
        return hmac.digest(self._key, b"auth-key\0" + guarantee_number.encode() + b"\0" + auth_key.encode(), "sha256")

    def of_body(self, body: bytes) -> str:
        """What is kept of a body, to see whether two tries sent the same bytes."""
        return hmac.new(self._key, b"body\0" + body, hashlib.sha256).hexdigest()


def _write_once(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
