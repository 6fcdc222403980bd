"""What portals and the office read of guarantees: the list, the overview, and which versions a contractor may see."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from services.issuer.domain.guarantee import MailState
from services.issuer.domain.limits import LineNow, general_terms, remarks_on
from services.issuer.domain.names import PRODUCT_NAMES, VERSION_KIND_JA, VersionKind
from services.issuer.domain.states import STATUS_JA, GuaranteeState, Status, VersionState, status_of
from shared.messages.intake import CertificateForm, Kind, Terms
from shared.messages.moments import Instant
from shared.problems import Problem

VISIBLE_STATES: Final = frozenset({VersionState.ARRIVED, VersionState.SUPERSEDED})
HIDDEN_KINDS: Final = frozenset({VersionKind.CHANGE_CANCELLATION})
"""Which versions contractors see; `is_visible` says it of one, and a store that must ask in SQL takes these along."""

_OF_A_LINE: Final = re.compile(r"/guarantees/\d+(/|$)")
_NEVER_ISSUED: Final = frozenset(
    {VersionState.CREATED, VersionState.IN_TRANSIT, VersionState.REFUSED, VersionState.ORDERED}
)


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class HistoryRow(_Shape):
    """One row of 電子保証情報（履歴情報）. Rows that contractors do not see have no `no`; only the office gets them.

    `state` and `note` are for the office: why the platform refused a version, or why the bridge holds it.
    """

    no: int | None
    version: int
    version_kind: VersionKind
    version_kind_ja: str
    issued_at: Instant | None
    state: VersionState | None = None
    note: str | None = None


class ShownMail(_Shape):
    """電子保証発行完了のお知らせ of the version that is shown; `refusal` is for the office."""

    wanted: bool
    state: MailState
    refusal: str | None = None


class GuaranteeItem(_Shape):
    """One row of 保証契約一覧."""

    guarantee_number: str
    application_id: str
    kind: Kind
    product_name: str
    obligee_name: str
    project_name: str
    contractor_name: str
    price: int
    amount: int
    certificate_form: CertificateForm
    status: Status
    status_ja: str
    issued_at: Instant | None


class GuaranteeDetail(GuaranteeItem):
    """電子保証概要 ※最新の情報を表示しています: the latest arrived version, and the history.

    `version` is the one in force, which a change names as its `base_version`; there is none before the first.
    `portal` is where the application came from: with `application_id` and `kind` the office's name for it.
    """

    portal: str
    version: int | None
    jv_name: str | None
    depository: str | None
    guarantee_until: date
    remarks: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    message_from_guarantor: str | None
    completion_mail: ShownMail
    history: tuple[HistoryRow, ...]


class GuaranteePage(_Shape):
    """One page of the list, newest first; `next_cursor` is None on the last one."""

    items: tuple[GuaranteeItem, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A guarantee as the list needs it; `latest` is the state of its latest version, `held` whether that waits."""

    guarantee_number: str
    application_id: str
    kind: Kind
    obligee_name: str
    project_name: str
    contractor_name: str
    price: int
    amount: int
    certificate_form: CertificateForm
    state: GuaranteeState
    latest: VersionState | None
    guarantee_until: date
    issued_at: datetime | None
    held: bool = False


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version as the history needs it."""

    version: int
    kind: VersionKind
    state: VersionState
    issued_at: datetime | None
    mail: ShownMail
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Detailed:
    """A guarantee as the overview needs it, its versions from the first on.

    Attributes:
        remarks: what was remarked on the whole application; `line` is this guarantee's place in it, from 0.
        lines: all lines of the application, `terms` and `low_bid` what they are compared by.
    """

    listed: Listed
    jv_name: str | None
    depository: str | None
    remarks: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    message_from_guarantor: str | None
    mail_wanted: bool
    versions: tuple[ShownVersion, ...]
    portal: str = ""
    line: int = 0
    lines: tuple[LineNow, ...] = ()
    terms: Terms | None = None
    low_bid: bool = False


def is_visible(kind: VersionKind, state: VersionState, issued_at: datetime | None) -> bool:
    """Whether a contractor sees this version in the history.

    「訂正、変更取消された履歴は表示されません」 (the flyer): a corrected version, a cancelled change and the
    cancelling row itself are not shown. What has not arrived is not issued, so it is not history yet; paper never is.
    """
    return issued_at is not None and state in VISIBLE_STATES and kind not in HIDDEN_KINDS


def never_issued(state: VersionState) -> bool:
    """Whether a version in this state has not arrived: it has no certificate to show yet, or never will."""
    return state in _NEVER_ISSUED


def may_be_asked_for(kind: VersionKind, state: VersionState, issued_at: datetime | None) -> bool:
    """Whether a contractor may know of this version's certificate: it is shown, or will be if it arrives."""
    coming = never_issued(state) and kind is not VersionKind.CHANGE_CANCELLATION
    return coming or is_visible(kind, state, issued_at)


def history(versions: Sequence[ShownVersion], *, sees_all: bool) -> tuple[HistoryRow, ...]:
    """電子保証情報（履歴情報）: the rows that contractors see, counted; the office gets the others between them."""
    rows: list[HistoryRow] = []
    counted = 0
    for version in versions:
        visible = is_visible(version.kind, version.state, version.issued_at)
        counted += visible
        if visible or sees_all:
            rows.append(
                HistoryRow(
                    no=counted if visible else None,
                    version=version.version,
                    version_kind=version.kind,
                    version_kind_ja=VERSION_KIND_JA[version.kind],
                    issued_at=version.issued_at,
                    state=version.state if sees_all else None,
                    note=version.note if sees_all else None,
                )
            )
    return tuple(rows)


def item_of(listed: Listed, today: date) -> GuaranteeItem:
    """A row of the list as it is shown on this day."""
    return GuaranteeItem(**_item_fields(listed, today))


def detail_of(detailed: Detailed, today: date, *, sees_all: bool) -> GuaranteeDetail:
    """The overview as it is shown on this day, to a portal or to the office, who sees all."""
    return GuaranteeDetail(
        **_item_fields(detailed.listed, today),
        portal=detailed.portal,
        version=_in_force(detailed.versions),
        jv_name=detailed.jv_name,
        depository=detailed.depository,
        guarantee_until=detailed.listed.guarantee_until,
        remarks=_remarks(detailed),
        problems=detailed.problems,
        message_from_guarantor=detailed.message_from_guarantor,
        completion_mail=_shown_mail(detailed, sees_all=sees_all),
        history=history(detailed.versions, sees_all=sees_all),
    )


def _item_fields(listed: Listed, today: date) -> dict[str, Any]:
    status = status_of(listed.state, listed.latest, listed.guarantee_until, today, held=listed.held)
    return {
        "guarantee_number": listed.guarantee_number,
        "application_id": listed.application_id,
        "kind": listed.kind,
        "product_name": PRODUCT_NAMES[listed.kind],
        "obligee_name": listed.obligee_name,
        "project_name": listed.project_name,
        "contractor_name": listed.contractor_name,
        "price": listed.price,
        "amount": listed.amount,
        "certificate_form": listed.certificate_form,
        "status": status,
        "status_ja": STATUS_JA[status],
        "issued_at": listed.issued_at,
    }


def _in_force(versions: Sequence[ShownVersion]) -> int | None:
    standing = VISIBLE_STATES | {VersionState.ORDERED}
    numbers = [one.version for one in versions if one.state in standing and one.kind not in HIDDEN_KINDS]
    return max(numbers, default=None)


def _remarks(detailed: Detailed) -> tuple[Problem, ...]:
    """What was remarked on this line or on no line at all, and what its siblings make of it now."""
    own = f"/guarantees/{detailed.line}"
    ours = (
        one for one in detailed.remarks if f"{one.pointer}/".startswith(f"{own}/") or not _OF_A_LINE.match(one.pointer)
    )
    terms = detailed.terms or general_terms("", detailed.listed.obligee_name)
    number, low_bid = detailed.listed.guarantee_number, detailed.low_bid
    return (*ours, *remarks_on(number, detailed.lines, terms, low_bid=low_bid))


def _shown_mail(detailed: Detailed, *, sees_all: bool) -> ShownMail:
    """The mail of the latest issued version; before there is one, the wish of the application."""
    issued = [version for version in detailed.versions if version.state is VersionState.ARRIVED]
    if not issued:
        return ShownMail(wanted=detailed.mail_wanted, state=MailState.NONE)
    mail = issued[-1].mail
    return mail if sees_all else mail.model_copy(update={"refusal": None})
