"""Reading what was posted: the Idempotency-Key, the body's shape and its own digest (contracts, section 4)."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import rfc8785
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

_QUOTED = re.compile(r'^ *"((?:[ !#-\[\]-~]|\\["\\])*)" *$')
_NOT_SIGNED = ("auth_key", "content_sha256", "signature")


class Malformed(ValueError):
    """Raised when a request is not what the contract says; the answer is 400."""


def _iso_date(text: str) -> str:
    date.fromisoformat(text)
    return text


def _aware_time(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("an offset is missing")
    return text


Text = Annotated[str, Field(min_length=1, max_length=1000)]
IsoDate = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$"), AfterValidator(_iso_date)]
AwareTime = Annotated[str, Field(min_length=20, max_length=40), AfterValidator(_aware_time)]
Yen = Annotated[int, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Contractor(_Part):
    """Who is guaranteed."""

    name: Text
    jv_name: Text | None = None


class Obligee(_Part):
    """To whom the guarantee is given."""

    code: Text
    name: Text


class Certificate(_Part):
    """The shape of `certificate.json`; money in whole yen, dates ISO, `concluded_at` with an offset."""

    guarantee_number: Annotated[str, Field(pattern=r"^\d{5}-\d{6}$")]
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    version_kind: Literal["new", "change", "correction", "change_cancellation", "termination"]
    kind: Literal["advance_payment", "interim_advance_payment", "contract_performance"]
    product_name: Text
    guarantor: Text
    contractor: Contractor
    obligee: Obligee
    project_name: Text
    contract_date: IsoDate
    works_from: IsoDate
    works_until: IsoDate
    price: Yen
    fiscal_year_amount: Yen | None = None
    amount: Yen
    depository: Text | None = None
    guarantee_from: IsoDate
    guarantee_until: IsoDate
    concluded_at: AwareTime
    auth_key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,64}$", repr=False)]
    content_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\.\.[A-Za-z0-9_-]+$", max_length=1000)]


@dataclass(frozen=True, slots=True)
class Posted:
    """A well-formed certificate.

    Attributes:
        signed: the canonical bytes that digest and signature are over.
        kept: the certificate as it is stored, without the authentication key.
    """

    certificate: Certificate
    signed: bytes
    kept: str

    @property
    def key(self) -> str:
        """What the Idempotency-Key must be."""
        return f"{self.certificate.guarantee_number}/{self.certificate.version}"


def idempotency_key(header: str | None) -> str:
    """The key out of its quoted structured-field string (RFC 9651, section 3.3.3). Raises Malformed."""
    found = _QUOTED.match(header) if header is not None else None
    if found is None:
        raise Malformed('Idempotency-Key must be a quoted string, such as "00000-000001/1".')
    return re.sub(r"\\(.)", r"\1", found[1])


def read(body: bytes) -> Posted:
    """The certificate in a body, when its shape and its own digest are right. Raises Malformed.

    Unknown fields are kept and count for the digest.
    """
    try:
        raw = json.loads(body, object_pairs_hook=_no_doubles, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        # The cause would carry the whole body, and with it the authentication key.
        raise Malformed("The body is not JSON.") from None
    if not isinstance(raw, dict):
        raise Malformed("The body is not a JSON object.")
    try:
        certificate = Certificate.model_validate(raw)
    except ValidationError as error:
        # Only places are named: the values may hold the authentication key.
        places = sorted({"/" + "/".join(map(str, one["loc"])) for one in error.errors(include_input=False)})
        raise Malformed("The certificate is malformed at " + ", ".join(places)) from None
    return _digested(raw, certificate)


def signed_bytes(certificate: Mapping[str, object]) -> bytes:
    """The canonical bytes that digest and signature are over. Raises CanonicalizationError or UnicodeError."""
    content = {name: value for name, value in certificate.items() if name not in _NOT_SIGNED}
    return rfc8785.dumps(content)  # type: ignore[arg-type]  # Anything that json.loads makes is fine.


def _digested(raw: dict[str, object], certificate: Certificate) -> Posted:
    try:
        signed = signed_bytes(raw)
    except (rfc8785.CanonicalizationError, UnicodeError) as error:
        raise Malformed("The certificate has no canonical form (RFC 8785).") from error
    if not hmac.compare_digest(hashlib.sha256(signed).hexdigest(), certificate.content_sha256):
        raise Malformed("content_sha256 is not the digest of the certificate.")
    del raw["auth_key"]
    return Posted(certificate, signed, json.dumps(raw, ensure_ascii=False, separators=(",", ":")))


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice in an object")
    return made


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
