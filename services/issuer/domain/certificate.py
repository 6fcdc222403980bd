"""What stands on an electronic certificate (電子証書): the published `certificate.json` without key and signature."""

from datetime import date, datetime
from typing import Any, Final

from services.issuer.domain.form import Application, Contract, Line
from services.issuer.domain.names import PRODUCT_NAMES, TOKYO, VersionKind

_FISCAL_YEAR_LAST_MONTH: Final = 3
_FISCAL_YEAR_LAST_DAY: Final = 31


def guarantee_until(contract: Contract) -> date:
    """保証期限 (domain rule 7): the end of works, or 31 March of the fiscal year if works go on after it.

    The fiscal year counts only if this year's amount is set; it runs from April to March (地方自治法 第208条).
    """
    if contract.fiscal_year_amount is None or contract.fiscal_year is None:
        return contract.works_until
    year_ends = date(contract.fiscal_year + 1, _FISCAL_YEAR_LAST_MONTH, _FISCAL_YEAR_LAST_DAY)
    return min(contract.works_until, year_ends)


def japan_time(moment: datetime) -> str:
    """A moment as it stands on certificates: RFC 3339 in Japan time, to the millisecond."""
    return moment.astimezone(TOKYO).isoformat(timespec="milliseconds")


def certificate_content(
    guarantee_number: str, application: Application, line: Line, *, guarantor: str, concluded_at: datetime
) -> dict[str, Any]:
    """The signed members of the first version's certificate; key, digest and signature come beside them."""
    contract, contractor = application.contract, application.contractor
    return {
        "guarantee_number": guarantee_number,
        "version": 1,
        "version_kind": VersionKind.NEW.value,
        "kind": line.kind,
        "product_name": PRODUCT_NAMES[line.kind],
        "guarantor": guarantor,
        "contractor": {"name": contractor.name, "jv_name": contractor.jv_name},
        "obligee": {"code": contract.obligee_code, "name": contract.obligee_name},
        "project_name": contract.project_name,
        "contract_date": contract.contract_date.isoformat(),
        "works_from": contract.works_from.isoformat(),
        "works_until": contract.works_until.isoformat(),
        "price": contract.price,
        "fiscal_year_amount": contract.fiscal_year_amount,
        "amount": line.amount,
        "depository": line.depository,
        "guarantee_from": contract.contract_date.isoformat(),
        "guarantee_until": guarantee_until(contract).isoformat(),
        "concluded_at": japan_time(concluded_at),
    }
