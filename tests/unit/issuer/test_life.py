"""Any life of a guarantee, against a model of what contractors may see: a pile of versions, the top one in force."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.issuer.domain.change import Asked, Change, changed_by
from services.issuer.domain.events import arrive, conclude, decline, hold, refuse, release
from services.issuer.domain.form import MailWish
from services.issuer.domain.guarantee import Guarantee, Outcome, Version
from services.issuer.domain.limits import general_terms
from services.issuer.domain.particulars import Particulars, particulars_of
from services.issuer.domain.shown import is_visible
from services.issuer.domain.states import (
    GUARANTEE_TRANSITIONS,
    VERSION_TRANSITIONS,
    GuaranteeState,
    Status,
    VersionState,
)
from shared.problems import Problem
from tests.unit.issuer.samples import TODAY, application, waiting

TERMS = general_terms("222062", "三島市長")
FORM = application()
EDGES = {(source, target) for (source, _), target in VERSION_TRANSITIONS.items()}
NOTHING = MailWish(wanted=False)

YEN = st.sampled_from([0, 1, 19_999_999, 20_000_000, 20_000_001, 24_000_000, 40_000_000])
PRICES = st.sampled_from([None, 49_999_999, 50_000_000, 60_000_000, 100_000_000])


@dataclass
class Model:
    """What must be true of one electronic guarantee, in as few words as it takes.

    `pile` holds what contractors see, from the bottom up: (version, may be cancelled, price, amount).
    `coming` is the version that was made last and has not arrived: (version, kind, revocable, price, amount).
    """

    state: str = "awaiting_conclusion"
    pile: list[tuple[int, bool, int, int]] = field(default_factory=list)
    coming: tuple[int, str, bool, int, int] | None = None
    travels: bool = False
    last: int = 0

    def send(self, kind: str, revocable: bool, price: int, amount: int) -> None:
        self.last += 1
        self.coming, self.travels = (self.last, kind, revocable, price, amount), True

    def settle(self) -> None:
        assert self.coming
        version, kind, revocable, price, amount = self.coming
        if kind in ("correction", "change_cancellation"):
            self.pile.pop()
        if kind != "change_cancellation":
            self.pile.append((version, revocable, price, amount))
        self.state = "terminated" if kind == "termination" else self.state
        self.coming, self.travels = None, False

    def takes(self, kind: str, base: int) -> bool:
        """Whether a change of this kind may come now, as far as the history alone can tell."""
        top = self.pile[-1] if self.pile else None
        if self.state != "active" or self.travels or base not in {self.last, top[0] if top else self.last}:
            return False
        if self.coming is not None:
            return kind == "correction"
        return kind != "change_cancellation" or (top is not None and top[1])

    def values(self, kind: str) -> tuple[int, int]:
        """Price and amount that a change starts from, or goes back to."""
        if kind == "change_cancellation":
            return self.pile[-2][2:]
        mended = self.coming is not None and self.coming[1] not in ("change_cancellation", "termination")
        return self.coming[3:] if self.coming and mended else self.pile[-1][2:]


class Life(RuleBasedStateMachine):
    """Events in any order, sensible or not; the guarantee and the model must agree after each."""

    @initialize(issued=st.sampled_from([False, True, True, True]))
    def begin(self, issued: bool) -> None:
        self.guarantee = waiting()
        self.model = Model()
        self.at = datetime(2026, 1, 15, tzinfo=UTC)
        if issued:
            self.concluded()
            self.arrived(1)

    def moved(self, outcome: Outcome | tuple[Problem, ...]) -> bool:
        if not isinstance(outcome, Guarantee):
            return False
        for before, after in zip(self.guarantee.versions, outcome.versions, strict=False):
            assert before.state is after.state or (before.state, after.state) in EDGES
        self.guarantee = outcome
        return True

    def tick(self) -> datetime:
        self.at += timedelta(hours=1)
        return self.at

    @rule()
    def concluded(self) -> None:
        may = self.model.state == "awaiting_conclusion"
        assert self.moved(conclude(self.guarantee, self.tick(), NOTHING)) is may
        if may:
            self.model.state = "active"
            self.model.send("new", False, 50_000_000, 20_000_000)

    @rule()
    def declined(self) -> None:
        may = self.model.state == "awaiting_conclusion"
        assert self.moved(decline(self.guarantee, (), None)) is may
        self.model.state = "declined" if may else self.model.state

    @rule(version=st.integers(0, 8))
    def arrived(self, version: int) -> None:
        may = self.model.travels and version == self.model.last
        assert self.moved(arrive(self.guarantee, version, self.tick(), "c")) is may
        if may:
            self.model.settle()

    @precondition(lambda self: self.model.travels)
    @rule()
    def latest_arrived(self) -> None:
        self.arrived(self.model.last)

    @rule(version=st.integers(0, 8))
    def refused(self, version: int) -> None:
        may = self.model.travels and version == self.model.last
        assert self.moved(refuse(self.guarantee, version, self.tick(), "no")) is may
        self.model.travels = self.model.travels and not may

    @precondition(lambda self: self.model.travels)
    @rule()
    def latest_refused(self) -> None:
        self.refused(self.model.last)

    @precondition(lambda self: self.model.travels)
    @rule(released=st.booleans())
    def held(self, released: bool) -> None:
        assert self.moved(hold(self.guarantee, self.model.last, self.tick(), "odd"))
        if released:
            assert self.moved(release(self.guarantee, self.model.last, self.tick()))
        assert self.guarantee.status(TODAY) is (Status.IN_TRANSIT if released else Status.HELD)

    @rule(kind=st.sampled_from(["change", "correction"]), below=st.integers(0, 2), price=PRICES, amount=YEN)
    def changed(self, kind: str, below: int, price: int | None, amount: int) -> None:
        base = max(self.model.last - below, 0)
        sent = {"amount": amount} | ({} if price is None else {"price": price})
        old = self.model.values(kind) if self.model.takes(kind, base) else None
        new = (old[0] if old and price is None else price or 0, amount)
        mends = self.model.coming is not None
        may = old is not None and 0 < new[1] <= new[0] * 40 // 100 and (new != old or mends)
        assert self.ask(kind, base, sent) is may
        if may:
            self.sent(kind, new)

    @rule(kind=st.sampled_from(["change_cancellation", "termination"]), below=st.integers(0, 2))
    def ended(self, kind: str, below: int) -> None:
        base = max(self.model.last - below, 0)
        may = self.model.takes(kind, base)
        values = self.model.values(kind) if may else (0, 0)
        assert self.ask(kind, base, {}) is may
        if may:
            self.model.send(kind, False, *values)

    @precondition(lambda self: self.model.state == "active" and not self.model.travels)
    @rule(
        kind=st.sampled_from(["change", "correction", "change_cancellation"]),
        price=st.sampled_from([50_000_000, 60_000_000]),
        amount=st.integers(19_999_990, 20_000_000),
        fate=st.sampled_from(["arrived", "arrived", "refused"]),
    )
    def followed(self, kind: str, price: int, amount: int, fate: str) -> None:
        """One whole step that is likely to be taken, so that long lives are reached."""
        if kind in ("change", "correction"):
            self.changed(kind, 0, price, amount)
        else:
            self.ended(kind, 0)
        if self.model.travels:
            self.arrived(self.model.last) if fate == "arrived" else self.refused(self.model.last)

    def sent(self, kind: str, values: tuple[int, int]) -> None:
        """A mend takes effect as what it mends; a correction may be cancelled if what it corrects may."""
        model = self.model
        refused = model.coming[1:3] if model.coming else None
        if kind == "correction" and refused and refused[0] not in ("change_cancellation", "termination"):
            effect, revocable = refused
        else:
            effect, revocable = kind, kind == "change" or model.pile[-1][1]
        model.send(effect, revocable, *values)

    def ask(self, kind: str, base: int, values: dict[str, int]) -> bool:
        form = {
            "change_id": "C-1",
            "submitted_at": "2026-06-01T10:00:00+09:00",
            "guarantee_number": self.guarantee.guarantee_number,
            "base_version": base,
            "version_kind": kind,
            **(values if kind == "change" else {"corrections": values}),
        }
        own = particulars_of(FORM, FORM.guarantees[0])
        return self.moved(changed_by(self.guarantee, Asked(Change.model_validate(form), own, TERMS, 0, "portal-a")))

    @invariant()
    def the_history_is_the_pile(self) -> None:
        seen = [one.version for one in self.guarantee.versions if is_visible(one.kind, one.state, one.issued_at)]
        assert seen == [row[0] for row in self.model.pile]
        assert self.guarantee.state == self.model.state

    @invariant()
    def what_is_shown_is_the_top_of_the_pile(self) -> None:
        if self.model.pile:
            in_force = self.guarantee.in_force
            assert in_force is not None
            assert in_force.version == self.model.pile[-1][0]
            assert (self.guarantee.price, self.guarantee.amount) == self.model.pile[-1][2:]
            assert self.guarantee.amount * 100 <= self.guarantee.price * 40

    @invariant()
    def one_version_at_most_travels_and_versions_are_counted(self) -> None:
        travelling = [one.version for one in self.guarantee.versions if one.state is VersionState.IN_TRANSIT]
        assert travelling == ([self.model.last] if self.model.travels else [])
        assert [one.version for one in self.guarantee.versions] == list(range(1, self.model.last + 1))

    @invariant()
    def every_state_is_one_that_the_tables_lead_to(self) -> None:
        assert self.guarantee.state in {GuaranteeState.REQUESTED, *GUARANTEE_TRANSITIONS.values()}
        for one in self.guarantee.versions:
            assert one.state in VERSION_TRANSITIONS.values()
            assert (one.issued_at is not None) == (one.refused_at is None and one.state is not VersionState.IN_TRANSIT)
            assert self.said(one).price > 0

    def said(self, version: Version) -> Particulars:
        return version.particulars or particulars_of(FORM, FORM.guarantees[0])


Life.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestAnyLife = Life.TestCase
