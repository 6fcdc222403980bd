"""What a certificate on its way is (contracts, section 4)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from json import dumps
from typing import Any

from pydantic_core import from_json


class Ending(StrEnum):
    """How a certificate ends here; one without an ending waits to be posted."""

    ARRIVED = "arrived"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Post:
    """A certificate to be posted.

    Attributes:
        certificate: canonical JSON (RFC 8785) without auth_key, content_sha256 and signature: the signed bytes.
        sealed_auth_key: None once the platform has spoken; it is not needed again.
    """

    guarantee_number: str
    version: int
    portal: str
    application_id: str
    concluded_at: datetime
    certificate: bytes
    content_sha256: str
    signature: str
    sealed_auth_key: str | None

    @property
    def key(self) -> str:
        """The Idempotency-Key, which is also the subject of facts about this version."""
        return key_of(self.guarantee_number, self.version)


def key_of(guarantee_number: str, version: int) -> str:
    """How a version is named: `00000-000001/1`."""
    return f"{guarantee_number}/{version}"


def named_by(key: str) -> tuple[str, int]:
    """The guarantee number and the version that a key names."""
    number, _, version = key.rpartition("/")
    return number, int(version)


def misfit_of(post: Post) -> str | None:
    """Why these bytes cannot be the certificate they are announced as; None when all is well."""
    if hashlib.sha256(post.certificate).hexdigest() != post.content_sha256:
        return "content_sha256 is not the digest of the certificate"
    content = json_object(post.certificate)
    if content is None or not post.certificate.endswith(b"}"):
        return "the certificate is not a JSON object"
    if (content.get("guarantee_number"), content.get("version")) != (post.guarantee_number, post.version):
        return "the certificate is of another guarantee or version"
    return None


def body_of(post: Post, auth_key: str) -> bytes:
    """The request body: the signed bytes as they are, with the three members that stand outside the signature."""
    outside = {"auth_key": auth_key, "content_sha256": post.content_sha256, "signature": post.signature}
    return post.certificate[:-1] + b"," + dumps(outside).encode()[1:]


def json_object(body: bytes | None) -> dict[str, Any] | None:
    """The object that a body holds; None when it holds none."""
    try:
        value = from_json(body) if body else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
