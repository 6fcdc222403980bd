"""What one version of a guarantee says (記載事項): the contract as it stands then, and how much of it is secured."""

from datetime import date
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from services.issuer.domain.form import Application, Line
from shared.messages.intake import Kind

FISCAL_YEAR_FIRST_MONTH: Final = 4
_FISCAL_YEAR_LAST_MONTH: Final = 3
_FISCAL_YEAR_LAST_DAY: Final = 31

WorksKind = Literal["construction", "design", "survey"]


class Particulars(BaseModel):
    """The values of one version. Money is whole yen; the days are those of the contract, not of its changes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    contractor_name: str
    jv_name: str | None = None
    obligee_code: str
    obligee_name: str
    project_name: str
    works_kind: WorksKind = "construction"
    tender_notice_date: date | None = None
    contract_date: date
    works_from: date
    works_until: date
    price: int
    fiscal_year_amount: int | None = None
    fiscal_year: int | None = None
    low_bid: bool = False
    amount: int
    depository: str | None = None

    @property
    def guarantee_until(self) -> date:
        """保証期限 (domain rule 7): the end of works, or 31 March of the fiscal year if works go on after it.

        The fiscal year counts only if this year's amount is set; it runs from April to March (地方自治法 第208条).
        """
        if self.fiscal_year_amount is None or self.fiscal_year is None:
            return self.works_until
        return min(self.works_until, date(self.fiscal_year + 1, _FISCAL_YEAR_LAST_MONTH, _FISCAL_YEAR_LAST_DAY))

    def base(self, kind: Kind) -> int:
        """The amount a ratio is taken of: the price, or for advances this year's amount if one is given (rule 7)."""
        if kind == "contract_performance" or self.fiscal_year_amount is None:
            return self.price
        return self.fiscal_year_amount


def fiscal_year_of(day: date) -> int:
    """The fiscal year a day belongs to, named by the year it begins in."""
    return day.year if day.month >= FISCAL_YEAR_FIRST_MONTH else day.year - 1


def particulars_of(application: Application, line: Line) -> Particulars:
    """What the first version says: the line as it was applied for."""
    contract, contractor = application.contract, application.contractor
    return Particulars(
        contractor_name=contractor.name,
        jv_name=contractor.jv_name,
        obligee_code=contract.obligee_code,
        obligee_name=contract.obligee_name,
        project_name=contract.project_name,
        works_kind=contract.works_kind,
        tender_notice_date=contract.tender_notice_date,
        contract_date=contract.contract_date,
        works_from=contract.works_from,
        works_until=contract.works_until,
        price=contract.price,
        fiscal_year_amount=contract.fiscal_year_amount,
        fiscal_year=contract.fiscal_year,
        low_bid=contract.low_bid,
        amount=line.amount,
        depository=line.depository,
    )
