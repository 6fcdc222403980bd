"""The scripted night: five troubles, each shown, called, mended by the runbook's steps, and the ledger clean after it.

`make night` runs it with many more applications.
"""

import json
import os
import unittest
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from deploy.local import install
from deploy.local.install import NotInstalled
from deploy.local.programs import simulator
from deploy.local.screen import say
from services.ops.domain.troubles import Kind
from simulators.portal.client import ISSUED, Access, Portal
from simulators.portal.samples import Application, example, with_mail, with_platform
from tests.conftest import Servers
from tests.faults.night import Night, all_settled, until
from tests.faults.poison import poison_system
from tests.service.ops.browsing import at_the_console
from tests.system import whole_system

PORTAL: Final = "portal-a"
PLATFORM, MAILBOX = simulator("platform"), simulator("mailbox")
APPLICATIONS: Final = int(os.environ.get("HOSHO_NIGHT_APPLICATIONS", "12"))
"""Of each trouble of an outside; a breaker opens after ten different rows, so no fewer than that."""

ISSUED_S_MAX: Final = 300.0


@pytest.fixture
def promtool() -> Path:
    """The program that runs the rules. Its absence fails in continuous integration and is told aloud elsewhere."""
    try:
        return install.promtool()
    except NotInstalled as reason:
        if os.environ.get("CI"):
            raise
        raise unittest.SkipTest(f"THE NIGHT IS NOT PLAYED: {reason}") from None


@pytest.fixture
async def night(servers_of_module: Servers, promtool: Path, tmp_path: Path) -> AsyncIterator[Night]:
    """A whole system in the evening, a portal, and somebody who watches."""
    where = servers_of_module
    async with whole_system(where.local, where.database, where.vhost) as system:
        access = Access(
            portal=PORTAL,
            broker_url=system.broker_url(PORTAL),
            intake_url=system.url("intake"),
            issuer_url=system.url("issuer"),
            token=system.token(PORTAL),
        )
        async with (
            Portal(access) as portal,
            at_the_console(system.url("ops"), where.operator_token("operator")) as person,
        ):
            yield Night(system, portal, person, promtool, tmp_path, say)


async def test_a_night_of_five_troubles_is_shown_called_and_mended(night: Night) -> None:
    await _is_quiet(night)
    await _the_platform_is_down_for_an_hour(night)
    await _a_message_is_poison(night)
    await _a_certificate_is_refused(night)
    await _a_consumer_is_dead(night)
    await _the_mail_server_refuses(night)
    await _is_quiet(night)


async def _is_quiet(night: Night) -> None:
    """Nothing wrong, nothing waiting, and the ledger comes out even with nothing in transit, parked or refused."""
    await all_settled(night, ("platform_bridge", "notifier"))

    async def is_so() -> None:
        told = json.loads(await night.hosho_does("ledger", "--json"))
        columns = told["columns"]
        assert told["balanced"], told
        assert (columns["waiting"], columns["parked"], columns["refused"]) == (0, 0, 0), told
        status, text = await night.hosho("status")
        assert status == 0, text
        assert "All is well" in await night.person.opens("/")

    await until(is_so)


async def _apply(night: Night, name: str) -> None:
    for number in range(APPLICATIONS):
        await night.portal.apply(with_mail(example(PORTAL, f"{name}-{number}"), "keiri"))


async def _issued(night: Night, name: str) -> None:
    for number in range(APPLICATIONS):
        await night.portal.answers.wait_for(f"{name}-{number}", ISSUED, timeout_s=ISSUED_S_MAX)


async def _platform_is(night: Night, mode: str) -> None:
    headers = {"Authorization": f"Bearer {night.system.platform_token}"}
    url = night.system.url(PLATFORM) + "/admin/mode"
    async with night.person.http.post(url, json={"mode": mode}, headers=headers) as answer:
        assert answer.status == 200, await answer.text()


async def _the_platform_is_down_for_an_hour(night: Night) -> None:
    night.say("the platform is down")
    await _platform_is(night, "reset")
    await _apply(night, "DOWN")
    await night.stands("platform_bridge", "failing")
    await night.front_shows(Kind.OUTSIDE_FAILING, "post_certificate")
    assert _stage(await night.status(), "post_certificate")["standing"] == "failing"
    await night.calls("OutsideFailing")
    assert not await night.firing("CredentialsRefused")

    await _platform_is(night, "normal")
    # A probe of its own may be under way at this moment, which is as good.
    await night.hosho("probe", "post_certificate", "--reason", "they say it is back")
    await _issued(night, "DOWN")
    await night.front_is_rid_of(Kind.OUTSIDE_FAILING)


async def _a_message_is_poison(night: Night) -> None:
    night.say("a message is poison")
    await poison_system(night.system, Random(3), 1)

    await night.front_shows(Kind.FACTS_PARKED, "issuer.")
    await night.hosho_shows("issuer.", "parked", "--json")
    await night.calls("FactsParked")

    (group,) = json.loads(await night.hosho_does("parked", "--json"))["groups"]
    facts = json.loads(await night.hosho_does("parked", "--consumer", group["consumer"], "--json"))["facts"]
    await night.hosho_does("show", facts[0]["id"])
    await night.hosho_does("discard", facts[0]["id"], "--reason", "nobody sent this; its sender is asked")
    await night.front_is_rid_of(Kind.FACTS_PARKED)


async def _a_certificate_is_refused(night: Night) -> None:
    night.say("a certificate is refused")
    await night.portal.apply(with_platform(example(PORTAL, "REFUSED"), "refuse"))

    async def refused() -> None:
        items = (await night.portal.doors.guarantees(application_id="REFUSED")).json()["items"]
        assert [item["status"] for item in items] == ["refused_by_platform"]

    await until(refused)
    item = (await night.portal.doors.guarantees(application_id="REFUSED")).json()["items"][0]
    number = item["guarantee_number"]
    await night.front_shows(Kind.CERTIFICATES_REFUSED, number)
    journey = json.loads(await night.hosho_shows(number, "journey", number, "--json"))["journey"]
    assert journey["lines"][0]["column"] == "refused"
    await night.calls("CertificatesRefused")

    reply = await _office_corrects(night, number)
    assert reply == 202
    await night.front_is_rid_of(Kind.CERTIFICATES_REFUSED)


async def _office_corrects(night: Night, number: str) -> int:
    correction: Application = {
        "change_id": "OFFICE-1",
        "portal": "office",
        "submitted_at": "2026-06-01T10:00:00+09:00",
        "customer_number": None,
        "guarantee_number": number,
        "base_version": 1,
        "version_kind": "correction",
        "corrections": {"project_name": "市道○○線道路改良工事"},
        "completion_mail": {"wanted": False, "address": None},
    }
    access = Access(
        portal="office",
        broker_url=night.system.broker_url("office"),
        intake_url=night.system.url("intake"),
        issuer_url=night.system.url("issuer"),
        token=night.system.token("office"),
    )
    async with Portal(access) as office:
        return (await office.doors.change(correction)).status


async def _a_consumer_is_dead(night: Night) -> None:
    night.say("a consumer is dead")
    night.system.kill("notifier")
    await night.portal.apply(with_mail(example(PORTAL, "DEAD"), "keiri"))
    await night.front_shows(Kind.SERVICE_DOWN, "notifier")
    await night.portal.answers.wait_for("DEAD", ISSUED, timeout_s=ISSUED_S_MAX)
    await night.front_shows(Kind.MESSAGES_WITHOUT_CONSUMER, "notifier.guarantee_issued")
    told = await night.status()
    assert told["flow"]["services"]["notifier"] is None
    await night.calls("ServiceDown")
    await night.calls("MessagesWithoutConsumer")

    await night.system.restart("notifier")
    await night.front_is_rid_of(Kind.SERVICE_DOWN)
    await night.front_is_rid_of(Kind.MESSAGES_WITHOUT_CONSUMER)


async def _the_mail_server_refuses(night: Night) -> None:
    night.say("the mail server refuses every connection")
    await all_settled(night, ("notifier",))
    night.system.kill(MAILBOX)
    await _apply(night, "MAIL")
    # Nobody is there to talk to: for any mail the same, so the first one stops them all.
    await night.stands("notifier", "waiting")
    await night.front_shows(Kind.OUTSIDE_FAILING, "send_mail")
    assert _stage(await night.status(), "send_mail")["standing"] == "waiting"
    await night.calls("OutsideFailing")
    await _issued(night, "MAIL")

    await night.system.restart(MAILBOX)
    await night.hosho("probe", "send_mail", "--reason", "the mail server is back")
    await all_settled(night, ("notifier",))
    await night.front_is_rid_of(Kind.OUTSIDE_FAILING)


def _stage(told: Any, errand: str) -> Any:
    states = [state for state in told["flow"]["services"].values() if state]
    return next(stage for state in states for stage in state["stages"] if stage["errand"] == errand)
