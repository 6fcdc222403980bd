"""What a rule looks at: one application at one door, and one of its lines."""

from dataclasses import dataclass
from functools import cached_property

from services.intake.domain.form import Application, Contract, Guarantee, Kind
from services.intake.domain.obligees import Electronic, Rates, Registry
from services.intake.domain.obligees.registry import deciding


@dataclass(frozen=True)
class Case:
    """One application to be judged: the form, the door it came through and the registry of obligees.

    It has no slots, because what several rules ask of the registry is found once.
    """

    form: Application
    door: str
    registry: Registry

    @property
    def contract(self) -> Contract:
        """請負工事の情報."""
        return self.form.contract

    @cached_property
    def rates(self) -> Rates:
        """The rates of this obligee for a contract of this date."""
        contract = self.form.contract
        return self.registry.rates_for(contract.obligee_code, contract.obligee_name, contract.contract_date)

    @cached_property
    def electronic(self) -> Electronic | None:
        """The start rule of this obligee that decides on this contract; None if it is not registered as electronic."""
        contract = self.form.contract
        obligee = self.registry.find(contract.obligee_code, contract.obligee_name)
        if obligee is None or not obligee.electronic:
            return None
        return deciding(obligee.electronic, contract.contract_date, contract.tender_notice_date)


@dataclass(frozen=True, slots=True)
class Line:
    """One guarantee applied for, and where it stands."""

    index: int
    guarantee: Guarantee

    @property
    def is_advance(self) -> bool:
        """Whether it secures an advance payment, the first or an interim one."""
        return self.guarantee.kind is not Kind.CONTRACT_PERFORMANCE

    @property
    def pointer(self) -> str:
        """The JSON Pointer of the line."""
        return f"/guarantees/{self.index}"
