"""What the issuer reads of an application. Intake has judged and normalised it; the whole form is kept beside this."""

from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from shared.messages.intake import CertificateForm, Kind


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Contractor(_Part):
    """請負契約者; with a JV its representative."""

    customer_number: str
    name: str
    jv_name: str | None = None


class Contract(_Part):
    """請負工事の情報. Money is whole yen."""

    obligee_code: str
    obligee_name: str
    project_name: str
    works_kind: Literal["construction", "design", "survey"] = "construction"
    tender_notice_date: date | None = None
    contract_date: date
    works_from: date
    works_until: date
    price: int
    fiscal_year_amount: int | None = None
    fiscal_year: int | None = None
    low_bid: bool = False

    @model_validator(mode="after")
    def _this_years_amount_has_its_year(self) -> Self:
        if self.fiscal_year_amount is not None and self.fiscal_year is None:
            raise ValueError("fiscal_year_amount stands without its fiscal_year, which intake fills in")
        return self


class Line(_Part):
    """One guarantee applied for."""

    kind: Kind
    certificate_form: CertificateForm
    amount: int
    depository: str | None = None
    paper_premium_statement: bool = False
    earlier_guarantee_number: str | None = None


class MailWish(_Part):
    """電子保証発行完了のお知らせ: 希望する or 希望しない."""

    wanted: bool
    address: str | None = None


class Application(_Part):
    """申込."""

    receiving_office: str
    paper_delivery: str | None = None
    contractor: Contractor
    contract: Contract
    guarantees: tuple[Line, ...]
    completion_mail: MailWish

    def line_of(self, kind: Kind) -> Line:
        """The line of this kind; each kind stands once (domain rule 1)."""
        return self.guarantees[self.index_of(kind)]

    def index_of(self, kind: Kind) -> int:
        """Where the line of this kind stands in the form, from 0."""
        return next(index for index, line in enumerate(self.guarantees) if line.kind == kind)


def application_of(form: dict[str, Any]) -> Application:
    """Read a form.

    Raises:
        pydantic.ValidationError: if intake let something pass that the issuer cannot read.
    """
    return Application.model_validate(form)
