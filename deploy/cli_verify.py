"""`hosho verify`: proves an electronic certificate offline, with nothing but the file and the public keys."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from deploy.exits import FOUND, NOT_RUN
from shared.signing import Uncanonical, canonical, content_sha256, kid_of, signed_content, verify

ALTERED: Final = FOUND
UNJUDGED: Final = NOT_RUN


@dataclass(frozen=True, slots=True)
class Unjudged(Exception):
    """What stands between these files and a judgement."""

    why: str


def verify_certificate(
    file: Annotated[Path, typer.Argument(help="The certificate, JSON.")],
    keys: Annotated[Path, typer.Option(help="The public keys (JWK set), as the issuer's /.well-known/jwks.json.")],
) -> None:
    """Check a certificate's digest and signature. Exits with 1 if it was altered, with 2 if that cannot be told."""
    try:
        certificate, jwks = _object(file), _object(keys)
        failures = failures_of(certificate, jwks)
    except Unjudged as error:
        _end(UNJUDGED, f"cannot be judged: {error.why}")
    if failures:
        _end(ALTERED, f"{file}: NOT genuine: {'; '.join(failures)}")
    number, version = certificate.get("guarantee_number"), certificate.get("version")
    print(f"{file}: genuine: {number} version {version}, signed with {kid_of(certificate['signature'])}")


def failures_of(certificate: Mapping[str, Any], jwks: Mapping[str, Any]) -> Sequence[str]:
    """What of a certificate does not hold; nothing if it is as it was signed.

    Raises:
        Unjudged: if it lacks what it is to be judged by.
    """
    digest, signature = certificate.get("content_sha256"), certificate.get("signature")
    if not isinstance(digest, str) or not isinstance(signature, str):
        raise Unjudged("the file has no content_sha256 and signature, so it is no electronic certificate")
    if not isinstance(jwks.get("keys"), list) or not all(isinstance(key, dict) for key in jwks["keys"]):
        raise Unjudged("the keys are no JWK set")
    kid = kid_of(signature)
    if kid is not None and kid not in [key.get("kid") for key in jwks["keys"]]:
        raise Unjudged(f"the key set has no key {kid!r}; fetch the issuer's /.well-known/jwks.json")
    content = signed_content(certificate)
    try:
        payload, actual = canonical(content), content_sha256(content)
    except Uncanonical as error:
        raise Unjudged(str(error)) from None
    failures = []
    if actual != digest:
        failures.append(f"the digest of its content is {actual}, but it says {digest}")
    if not verify(payload, signature, jwks):
        failures.append("the signature is not over this content")
    return failures


def _object(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes(), object_pairs_hook=_no_doubles)
    except OSError as error:
        raise Unjudged(f"{file} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        # The cause would quote the file, which may hold an authentication key.
        raise Unjudged(f"{file} is not JSON, or a name stands twice in it") from None
    if not isinstance(value, dict):
        raise Unjudged(f"{file} is no JSON object")
    return value


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice")
    return made


def _end(status: int, told: str) -> NoReturn:
    typer.echo(told, err=True)
    raise typer.Exit(status)
