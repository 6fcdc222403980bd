"""Keys that prove certificates: what was signed last must be provable by whoever reads the published keys."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from deploy import database
from shared.signing import kid_of, verify

CERTIFICATES_MAX: Final = 20
ANSWER_S_MAX: Final = 10.0
PUT_BACK: Final = "put that key back into ISSUER_SIGNING_KEYS, after the one that signs"

_SIGNED_LAST: Final = """
    select guarantee_number || '/' || version as name, certificate, signature from issuer.version
     where signature is not null order by guarantee_number desc, version desc limit $1
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate as the issuer keeps it: number/version, the signed bytes, the signature over them."""

    name: str
    content: bytes
    signature: str


class NotPublished(Exception):
    """No key set is read at this URL."""


async def signed_last(owner_url: str) -> list[Signed]:
    """The certificates with the highest numbers.

    Raises:
        OSError, asyncpg.PostgresError: if the database does not answer.
    """
    async with database.connected(owner_url) as connection:
        rows = await connection.fetch(_SIGNED_LAST, CERTIFICATES_MAX)
    return [Signed(row["name"], row["certificate"].encode(), row["signature"]) for row in rows]


async def published(session: aiohttp.ClientSession, url: str) -> list[Mapping[str, Any]]:
    """The public keys at a URL.

    Raises:
        NotPublished: if there is no JWK set.
    """
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX)) as answer:
            told = await answer.json(content_type=None) if answer.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ValueError) as failure:
        raise NotPublished(type(failure).__name__) from failure
    keys = told.get("keys") if isinstance(told, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise NotPublished("what is there is no JWK set")
    return keys


def unproved(signed: Iterable[Signed], keys: Iterable[Mapping[str, Any]]) -> list[str]:
    """Findings about certificates that these keys do not prove, one for each key they name."""
    jwks = {"keys": list(keys)}
    ids = {key.get("kid") for key in jwks["keys"]}
    findings: dict[str | None, str] = {}
    for one in signed:
        kid = kid_of(one.signature)
        if kid not in ids:
            findings.setdefault(kid, f"{one.name} is signed with {kid}, which is not published — {PUT_BACK}")
        elif not verify(one.content, one.signature, jwks):
            findings.setdefault(
                kid,
                f"{one.name} does not hold by the published key {kid} — find out which key signed it; if another "
                "key was given the same name, give it a new one and publish both",
            )
    return list(findings.values())


def different(issuers: Iterable[Mapping[str, Any]], elsewhere: Iterable[Mapping[str, Any]]) -> list[str]:
    """Findings about keys that the issuer publishes and that are other, or missing, where people read them."""
    there = {str(key.get("kid")): key.get("x") for key in elsewhere}
    return [
        f"the key {key.get('kid')} is {'another one' if str(key.get('kid')) in there else 'missing'} there — copy the "
        "issuer's /.well-known/jwks.json to it once more"
        for key in issuers
        if there.get(str(key.get("kid"))) != key.get("x")
    ]
