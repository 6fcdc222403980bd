"""The demo sends what it promises to send, and its judge finds every way in which it can fail."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import pytest

from deploy.local.demo.cases import AMQP_PORTAL, HTTP_PORTAL, MANNERS, Case, Manner, cases
from deploy.local.demo.outcome import Guarantee, Rejection, Seen, complaints

ARRIVED = "2026-01-15T09:30:01.200000+09:00"


def _guarantee(number: str = "00000-000001", form: str = "electronic") -> Guarantee:
    electronic = form == "electronic"
    return Guarantee(
        application_id="A-1",
        kind="advance_payment" if electronic else "contract_performance",
        certificate_form=form,
        guarantee_number=number,
        status="active" if electronic else "paper_ordered",
        issued_at=ARRIVED if electronic else None,
        platform_arrived_at=ARRIVED if electronic else None,
        mail_message_id="<1@hosho.example>" if electronic else None,
        latency_ms=100,
    )


PAPER = _guarantee("00000-000002", "paper")
GOOD = Case(
    AMQP_PORTAL,
    {
        "application_id": "A-1",
        "guarantees": [
            {"kind": "advance_payment", "certificate_form": "electronic"},
            {"kind": "contract_performance", "certificate_form": "paper"},
        ],
        "completion_mail": {"wanted": True},
    },
    manner=Manner("503", "says 503 first", posts=2),
)
BAD = Case(HTTP_PORTAL, {"application_id": "A-2"}, pointers=("/contact/name",))
REJECTED = Rejection("A-2", ({"code": "missing", "pointer": "/contact/name"},))


def _seen(
    *guarantees: Guarantee,
    rejections: Sequence[Rejection] = (REJECTED,),
    certificates: int = 1,
    posts: int = 2,
    mails: Mapping[str, Sequence[str]] | None = None,
    paper_orders: Sequence[str] = ("00000-000002",),
) -> Seen:
    arrived = {"00000-000001": ["<1@hosho.example>"]} if mails is None else mails
    return Seen(
        guarantees or (_guarantee(), PAPER), rejections, certificates, {"00000-000001": posts}, arrived, paper_orders
    )


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 3, 31), date(2028, 2, 29)])
def test_at_least_twenty_go_through_both_doors_good_and_bad(today: date) -> None:
    sent = cases(today)

    assert len(sent) >= 20
    for portal in (AMQP_PORTAL, HTTP_PORTAL):
        assert {case.accepted for case in sent if case.portal == portal} == {True, False}
    forms = {line["certificate_form"] for case in sent if case.accepted for line in case.lines}
    assert forms == {"electronic", "paper"}
    assert {case.manner for case in sent if case.manner} == set(MANNERS)
    assert len({case.application_id for case in sent}) == len(sent)
    assert all(case.application["contract"]["works_until"] > today.isoformat() for case in sent if case.accepted)


def test_a_demo_as_it_should_be_is_not_complained_about() -> None:
    assert complaints([GOOD, BAD], _seen()) == []


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (_seen(_guarantee(), paper_orders=()), "there is no guarantee for this line"),
        (_seen(_guarantee(), PAPER, replace(PAPER, guarantee_number="00000-000003")), "a guarantee too many"),
        (_seen(_guarantee(), replace(PAPER, guarantee_number="00000-000001")), "the number was given twice"),
        (_seen(replace(_guarantee(), status="in_transit"), PAPER), "the status is in_transit"),
        (_seen(replace(_guarantee(), issued_at=None), PAPER), "issued None"),
        (_seen(replace(_guarantee(), issued_at="2026-01-15T09:30:01+09:00"), PAPER), "is not the platform's"),
        (_seen(certificates=2), "the platform remembers 2 certificates"),
        (_seen(posts=1), "the platform saw 1 POSTs, fewer than 2"),
        (_seen(mails={}), "0 mails arrived, not 1"),
        (_seen(mails={"00000-000001": ["<1>", "<2>"]}), "2 mails arrived, not 1"),
        (_seen(mails={"00000-000001": ["<1>"], "00000-000002": ["<2>"]}), "00000-000002: 1 mails arrived, not 0"),
        (_seen(paper_orders=()), "the office was not told to print it"),
        (_seen(paper_orders=("00000-000002", "00000-000002")), "once too often"),
        (_seen(rejections=()), "no problem was told at /contact/name"),
        (_seen(rejections=(REJECTED, Rejection("A-1", ()))), "A-1: was refused, though nothing is wrong"),
    ],
)
def test_each_failure_is_told(seen: Seen, told: str) -> None:
    assert any(told in complaint for complaint in complaints([GOOD, BAD], seen))


def test_the_same_instant_in_another_offset_is_the_same() -> None:
    guarantee = replace(_guarantee(), issued_at="2026-01-15T00:30:01.2Z")

    assert complaints([GOOD, BAD], _seen(guarantee, PAPER)) == []


def test_the_result_has_the_promised_shape() -> None:
    result = _seen().as_json(ok=True)

    assert set(result) == {"ok", "guarantees", "rejected"}
    assert list(result["guarantees"][0]) == [
        "application_id", "kind", "certificate_form", "guarantee_number", "status", "issued_at",
        "platform_arrived_at", "mail_message_id", "latency_ms",
    ]  # fmt: skip
    assert list(result["rejected"][0]) == ["application_id", "problems"]
