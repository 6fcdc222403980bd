"""What an abuse showed: figures to be told, and rules that held or did not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.faults.ledger import Account

Say = Callable[[str], None]

SHOWN_MAX: Final = 5


@dataclass(slots=True)
class Findings:
    """Figures by name, and the rules that were broken, in words; nothing broken is a pass."""

    figures: dict[str, object] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def rule(self, words: str, *, holds: bool) -> None:
        """Note a rule; one that does not hold is remembered."""
        if not holds:
            self.broken.append(words)

    def ledger(self, account: Account) -> None:
        """The ledger must be clean."""
        self.figures |= {"attempted": account.attempted, "acknowledged": account.acknowledged}
        self.figures |= {"lost": len(account.lost), "doubled": len(account.doubled), "parked": account.parked}
        for name, found in account.faulty.items():
            self.broken.append(f"the ledger: {len(found)} {name}: {'; '.join(found[:SHOWN_MAX])}")

    def told(self) -> list[str]:
        """Everything in lines."""
        lines = [f"  {name}: {value}" for name, value in self.figures.items()]
        lines += [f"  BROKEN: {words}" for words in self.broken]
        return [*lines, "  every rule held" if not self.broken else "  NOT BEARABLE"]
