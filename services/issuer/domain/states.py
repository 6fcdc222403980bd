"""The two life cycles as tables whose edges name their event, and 手続状況 as a pure function of both."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final


class Conclusion(StrEnum):
    """Who concludes a guarantee (domain rule 13)."""

    AUTOMATIC = "automatic"
    CORE = "core"


class GuaranteeState(StrEnum):
    """The life of a guarantee (保証契約). Expired is computed from the last day and today, never stored."""

    REQUESTED = "requested"
    AWAITING_CONCLUSION = "awaiting_conclusion"
    ACTIVE = "active"
    DECLINED = "declined"
    TERMINATED = "terminated"


class GuaranteeEvent(StrEnum):
    """What moves a guarantee."""

    NUMBER_GIVEN = "number_given"
    CONCLUDED = "guarantee_concluded"
    DECLINED = "guarantee_declined"
    TERMINATION_ARRIVED = "termination_arrived"


class VersionState(StrEnum):
    """The life of one version of a certificate: on its way to the platform, or an order for paper."""

    CREATED = "created"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    REFUSED = "refused"
    ORDERED = "ordered"
    SUPERSEDED = "superseded"
    CORRECTED = "corrected"
    CANCELLED = "cancelled"


class VersionEvent(StrEnum):
    """What moves a version."""

    CERTIFICATE_ANNOUNCED = "certificate_created"
    CERTIFICATE_ARRIVED = "certificate_arrived"
    CERTIFICATE_REFUSED = "certificate_refused"
    PAPER_ORDERED = "paper_ordered"
    SUPERSEDED = "version_superseded"
    CORRECTED = "version_corrected"
    CANCELLED = "version_cancelled"


GUARANTEE_TRANSITIONS: Final[Mapping[tuple[GuaranteeState, GuaranteeEvent], GuaranteeState]] = {
    (GuaranteeState.REQUESTED, GuaranteeEvent.NUMBER_GIVEN): GuaranteeState.AWAITING_CONCLUSION,
    (GuaranteeState.AWAITING_CONCLUSION, GuaranteeEvent.CONCLUDED): GuaranteeState.ACTIVE,
    (GuaranteeState.AWAITING_CONCLUSION, GuaranteeEvent.DECLINED): GuaranteeState.DECLINED,
    (GuaranteeState.ACTIVE, GuaranteeEvent.TERMINATION_ARRIVED): GuaranteeState.TERMINATED,
}
"""domain.md §5, upper line."""

VERSION_TRANSITIONS: Final[Mapping[tuple[VersionState, VersionEvent], VersionState]] = {
    (VersionState.CREATED, VersionEvent.CERTIFICATE_ANNOUNCED): VersionState.IN_TRANSIT,
    (VersionState.CREATED, VersionEvent.PAPER_ORDERED): VersionState.ORDERED,
    (VersionState.IN_TRANSIT, VersionEvent.CERTIFICATE_ARRIVED): VersionState.ARRIVED,
    (VersionState.IN_TRANSIT, VersionEvent.CERTIFICATE_REFUSED): VersionState.REFUSED,
    (VersionState.REFUSED, VersionEvent.CORRECTED): VersionState.CORRECTED,
    (VersionState.ARRIVED, VersionEvent.SUPERSEDED): VersionState.SUPERSEDED,
    (VersionState.ARRIVED, VersionEvent.CORRECTED): VersionState.CORRECTED,
    (VersionState.ARRIVED, VersionEvent.CANCELLED): VersionState.CANCELLED,
    (VersionState.ORDERED, VersionEvent.SUPERSEDED): VersionState.SUPERSEDED,
    (VersionState.ORDERED, VersionEvent.CORRECTED): VersionState.CORRECTED,
    (VersionState.ORDERED, VersionEvent.CANCELLED): VersionState.CANCELLED,
    (VersionState.SUPERSEDED, VersionEvent.CORRECTED): VersionState.CORRECTED,
    (VersionState.SUPERSEDED, VersionEvent.CANCELLED): VersionState.CANCELLED,
}
"""domain.md §5, lower lines. A refused version is final: its mend is a 訂正, which makes the next version.

A superseded version is in force again once the 変更 above it was cancelled, so it too can be corrected or cancelled.
"""


class Status(StrEnum):
    """手続状況 as people see it (contracts, section 1)."""

    REQUESTED = "requested"
    AWAITING_CONCLUSION = "awaiting_conclusion"
    DECLINED = "declined"
    IN_TRANSIT = "in_transit"
    ACTIVE = "active"
    PAPER_ORDERED = "paper_ordered"
    REFUSED_BY_PLATFORM = "refused_by_platform"
    HELD = "held"
    TERMINATED = "terminated"
    EXPIRED = "expired"


STATUS_JA: Final[Mapping[Status, str]] = {
    Status.REQUESTED: "受付済",
    Status.AWAITING_CONCLUSION: "引受審査中",
    Status.DECLINED: "お引受できません",
    Status.IN_TRANSIT: "電子証書送信中",
    Status.ACTIVE: "発行済",
    Status.PAPER_ORDERED: "証書作成中",
    Status.REFUSED_BY_PLATFORM: "確認中(弊社対応)",
    Status.HELD: "確認中(弊社対応)",
    Status.TERMINATED: "解約済",
    Status.EXPIRED: "保証期間終了",
}

_OF_STATE: Final[Mapping[GuaranteeState, Status]] = {
    GuaranteeState.REQUESTED: Status.REQUESTED,
    GuaranteeState.AWAITING_CONCLUSION: Status.AWAITING_CONCLUSION,
    GuaranteeState.DECLINED: Status.DECLINED,
    GuaranteeState.TERMINATED: Status.TERMINATED,
}

# While a guarantee is active its latest version decides.
_OF_LATEST_VERSION: Final[Mapping[VersionState, Status]] = {
    VersionState.CREATED: Status.IN_TRANSIT,
    VersionState.IN_TRANSIT: Status.IN_TRANSIT,
    VersionState.ARRIVED: Status.ACTIVE,
    VersionState.REFUSED: Status.REFUSED_BY_PLATFORM,
    VersionState.ORDERED: Status.PAPER_ORDERED,
    VersionState.SUPERSEDED: Status.ACTIVE,
    VersionState.CORRECTED: Status.ACTIVE,
    VersionState.CANCELLED: Status.ACTIVE,
}

_MAY_EXPIRE: Final = frozenset({Status.ACTIVE, Status.PAPER_ORDERED})


def status_of(
    state: GuaranteeState, latest: VersionState | None, guarantee_until: date, today: date, *, held: bool = False
) -> Status:
    """手続状況 of a guarantee whose latest version is in state `latest` (None before there is one).

    `today` is the day in Japan; the guarantee still holds on its last day. `held` is no state of a version but a mark
    on one in transit: it can come and go, and an arrival ends it without a word.
    """
    if state is GuaranteeState.ACTIVE:
        status = Status.IN_TRANSIT if latest is None else _OF_LATEST_VERSION[latest]
        if held and status is Status.IN_TRANSIT:
            status = Status.HELD
    else:
        status = _OF_STATE[state]
    return Status.EXPIRED if status in _MAY_EXPIRE and guarantee_until < today else status
