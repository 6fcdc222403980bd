"""What contractors and the office are shown: the history rule, the overview, the mail."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from services.issuer.domain.guarantee import MailState
from services.issuer.domain.names import VersionKind
from services.issuer.domain.shown import (
    Detailed,
    Listed,
    ShownMail,
    ShownVersion,
    detail_of,
    history,
    is_visible,
    item_of,
)
from services.issuer.domain.states import GuaranteeState, VersionState
from shared.problems import Problem
from tests.unit.issuer.samples import ARRIVED_AT, TODAY

MAIL = ShownMail(wanted=True, state=MailState.REFUSED, refusal="550 no such user")


def version(number: int, kind: VersionKind, state: VersionState) -> ShownVersion:
    arrived = state in {VersionState.CREATED, VersionState.IN_TRANSIT, VersionState.REFUSED, VersionState.ORDERED}
    return ShownVersion(number, kind, state, None if arrived else ARRIVED_AT + timedelta(days=number), MAIL)


def shown(*versions: ShownVersion) -> Detailed:
    listed = Listed(
        guarantee_number="00000-000001",
        application_id="A-2026-000123",
        kind="advance_payment",
        obligee_name="三島市長",
        project_name="市道○○線道路改良工事",
        contractor_name="○○建設 株式会社",
        price=50_000_000,
        amount=20_000_000,
        certificate_form="electronic",
        state=GuaranteeState.ACTIVE,
        latest=versions[-1].state if versions else None,
        guarantee_until=date(2026, 12, 25),
        issued_at=versions[-1].issued_at if versions else None,
    )
    return Detailed(
        listed=listed,
        jv_name=None,
        depository="○○銀行\u3000××支店",
        remarks=(),
        problems=(),
        message_from_guarantor=None,
        mail_wanted=True,
        versions=versions,
    )


def test_a_new_guarantee_has_one_row() -> None:
    rows = history([version(1, VersionKind.NEW, VersionState.ARRIVED)], sees_all=False)

    assert [(row.no, row.version, row.version_kind_ja) for row in rows] == [(1, 1, "新規")]


def test_corrected_versions_cancelled_changes_and_cancelling_rows_are_not_shown_and_not_counted() -> None:
    versions = [
        version(1, VersionKind.NEW, VersionState.CORRECTED),
        version(2, VersionKind.CORRECTION, VersionState.SUPERSEDED),
        version(3, VersionKind.CHANGE, VersionState.CANCELLED),
        version(4, VersionKind.CHANGE_CANCELLATION, VersionState.SUPERSEDED),
        version(5, VersionKind.CHANGE, VersionState.ARRIVED),
    ]

    assert [(row.no, row.version, row.state) for row in history(versions, sees_all=False)] == [
        (1, 2, None),
        (2, 5, None),
    ]
    assert [(row.no, row.version) for row in history(versions, sees_all=True)] == [
        (None, 1),
        (1, 2),
        (None, 3),
        (None, 4),
        (2, 5),
    ]


def test_what_has_not_arrived_is_not_history_yet() -> None:
    hidden = [VersionState.CREATED, VersionState.IN_TRANSIT, VersionState.REFUSED, VersionState.ORDERED]

    assert not any(is_visible(VersionKind.NEW, state, None) for state in hidden)
    assert is_visible(VersionKind.TERMINATION, VersionState.ARRIVED, ARRIVED_AT)


def test_times_are_shown_as_in_japan() -> None:
    item = item_of(shown(version(1, VersionKind.NEW, VersionState.ARRIVED)).listed, TODAY)

    assert item.issued_at == datetime(2026, 1, 16, 0, 30, 2, 117_000, UTC)
    assert item.model_dump(mode="json")["issued_at"] == "2026-01-16T09:30:02.117+09:00"


def test_the_overview_tells_status_product_and_mail() -> None:
    detail = detail_of(shown(version(1, VersionKind.NEW, VersionState.ARRIVED)), TODAY, sees_all=False)

    assert (detail.status, detail.status_ja, detail.product_name) == ("active", "発行済", "前払金保証")
    assert detail.completion_mail == ShownMail(wanted=True, state=MailState.REFUSED)


def test_what_the_mail_server_said_is_for_the_office_only() -> None:
    detail = detail_of(shown(version(1, VersionKind.NEW, VersionState.ARRIVED)), TODAY, sees_all=True)

    assert detail.completion_mail.refusal == "550 no such user"


def test_remarks_are_those_on_this_line_and_on_no_line() -> None:
    def remark(pointer: str) -> Problem:
        return Problem(code="depository_normalised", pointer=pointer, message_ja="全角にしました。", message_en="Done.")

    told = [remark(pointer) for pointer in ("/guarantees/0/depository", "/guarantees/1/amount", "/guarantees/10", "")]
    detailed = replace(shown(version(1, VersionKind.NEW, VersionState.ARRIVED)), remarks=tuple(told))

    assert [one.pointer for one in detail_of(detailed, TODAY, sees_all=False).remarks] == [
        "/guarantees/0/depository",
        "",
    ]
    assert [one.pointer for one in detail_of(replace(detailed, line=1), TODAY, sees_all=False).remarks] == [
        "/guarantees/1/amount",
        "",
    ]


def test_a_held_version_is_shown_as_such() -> None:
    detailed = shown(version(1, VersionKind.NEW, VersionState.IN_TRANSIT))
    held = replace(detailed, listed=replace(detailed.listed, held=True))

    assert (item_of(held.listed, TODAY).status, item_of(held.listed, TODAY).status_ja) == ("held", "確認中(弊社対応)")


def test_before_the_arrival_the_wish_is_shown_and_no_mail_waits() -> None:
    detail = detail_of(shown(version(1, VersionKind.NEW, VersionState.IN_TRANSIT)), TODAY, sees_all=False)

    assert detail.completion_mail == ShownMail(wanted=True, state=MailState.NONE)
    assert detail.history == ()
