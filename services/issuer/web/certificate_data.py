"""The shape of the published `certificate.json` as it is served, for the description of the door."""

from datetime import date, datetime

from pydantic import BaseModel

from services.issuer.domain.names import VersionKind
from shared.messages.intake import Kind


class _Named(BaseModel):
    name: str
    jv_name: str | None = None


class _Obligee(BaseModel):
    code: str
    name: str


class CertificateData(BaseModel):
    """The electronic certificate (電子証書): what is signed, its digest and the detached signature, without the key."""

    guarantee_number: str
    version: int
    version_kind: VersionKind
    kind: Kind
    product_name: str
    guarantor: str
    contractor: _Named
    obligee: _Obligee
    project_name: str
    contract_date: date
    works_from: date
    works_until: date
    price: int
    fiscal_year_amount: int | None
    amount: int
    depository: str | None
    guarantee_from: date
    guarantee_until: date
    concluded_at: datetime
    content_sha256: str
    signature: str
