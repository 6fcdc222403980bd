"""What stands on an electronic certificate (電子証書): the published `certificate.json` without key and signature."""

from datetime import datetime
from typing import Any

from services.issuer.domain.names import PRODUCT_NAMES, VersionKind
from services.issuer.domain.particulars import Particulars
from shared.messages.intake import Kind
from shared.messages.moments import told


def certificate_content(
    named: tuple[str, int, VersionKind], kind: Kind, said: Particulars, *, guarantor: str, concluded_at: datetime
) -> dict[str, Any]:
    """The signed members of a version's certificate; key, digest and signature come beside them.

    `named` is guarantee number, version and 対象; `concluded_at` is when this version was concluded.
    """
    guarantee_number, version, version_kind = named
    return {
        "guarantee_number": guarantee_number,
        "version": version,
        "version_kind": version_kind.value,
        "kind": kind,
        "product_name": PRODUCT_NAMES[kind],
        "guarantor": guarantor,
        "contractor": {"name": said.contractor_name, "jv_name": said.jv_name},
        "obligee": {"code": said.obligee_code, "name": said.obligee_name},
        "project_name": said.project_name,
        "contract_date": said.contract_date.isoformat(),
        "works_from": said.works_from.isoformat(),
        "works_until": said.works_until.isoformat(),
        "price": said.price,
        "fiscal_year_amount": said.fiscal_year_amount,
        "amount": said.amount,
        "depository": said.depository,
        "guarantee_from": said.contract_date.isoformat(),
        "guarantee_until": said.guarantee_until.isoformat(),
        "concluded_at": told(concluded_at),
    }
