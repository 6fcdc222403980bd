"""What a rule looks at: one application at one door, and one of its lines."""

from dataclasses import dataclass

from services.intake.domain.form import Application, Contract, Guarantee
from services.intake.domain.obligees import Rates, Registry


@dataclass(frozen=True, slots=True)
class Case:
    """One application to be judged: the form, the door it came through and the registry of obligees."""

    form: Application
    door: str
    registry: Registry

    @property
    def contract(self) -> Contract:
        """請負工事の情報."""
        return self.form.contract

    @property
    def rates(self) -> Rates:
        """The rates of this obligee for a contract of this date."""
        contract = self.form.contract
        return self.registry.rates_for(contract.obligee_code, contract.obligee_name, contract.contract_date)


@dataclass(frozen=True, slots=True)
class Line:
    """One guarantee applied for, and where it stands."""

    index: int
    guarantee: Guarantee

    @property
    def pointer(self) -> str:
        """The JSON Pointer of the line."""
        return f"/guarantees/{self.index}"
