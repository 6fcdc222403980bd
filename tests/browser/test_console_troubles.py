"""The console at night, with parked messages, a refused certificate and mails that wait: readable on desk and phone."""

from random import Random
from typing import Final
from urllib.parse import quote

from playwright.async_api import Page, expect

from deploy.local.programs import simulator
from deploy.places import CHECKOUT
from simulators.portal.client import Access, Portal
from simulators.portal.samples import example, with_mail, with_platform
from tests.browser.conftest import DESKTOP, PHONE, People
from tests.faults.poison import poison_system
from tests.system import System

CONCLUSION: Final = "automatic"
"""This module breaks the mail server, so its system is its own."""

PORTAL: Final = "portal-b"
OPS: Final = "ops"
SCREENS: Final = CHECKOUT / "build" / "screens"
SHOWN_MS_MAX: Final = 60_000
POISONED: Final = 6

PAGES: Final = {
    "front": "/",
    "flow": "/flow",
    "search": "/journey?q=" + quote("工事"),
    "journey": f"/journey/{PORTAL}/NIGHT-1",
    "journey-refused": f"/journey/{PORTAL}/NIGHT-2",
    "nothing": "/journey?q=" + quote("無い工事"),
    "parked": "/parked",
    "due": "/due?errand=send_mail",
    "ledger": "/ledger",
    "acts": "/acts",
    "runbook": "/runbook",
}


async def _log_in(page: Page, system: System) -> None:
    await page.goto(system.url(OPS) + "/?lang=ja")
    await page.get_by_label("トークン").fill(system.place.stack.secrets.operator_tokens["operator"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="ログアウト")).to_be_visible()


async def _evening(system: System) -> None:
    """What is wrong: mails wait, messages are parked, a certificate is refused."""
    system.kill(simulator("mailbox"))
    access = Access(
        portal=PORTAL,
        broker_url=system.broker_url(PORTAL),
        intake_url=system.url("intake"),
        issuer_url=system.url("issuer"),
        token=system.token(PORTAL),
    )
    async with Portal(access) as portal:
        await portal.apply(with_mail(example(PORTAL, "NIGHT-1"), "keiri"))
        await portal.apply(with_platform(example(PORTAL, "NIGHT-2"), "refuse"))
        await poison_system(system, Random(5), POISONED)


async def test_every_page_is_readable_in_both_languages_while_much_is_wrong(system: System, people: People) -> None:
    await _evening(system)
    SCREENS.mkdir(parents=True, exist_ok=True)
    for viewport in (DESKTOP, PHONE):
        watched = await people(viewport)
        page = watched.page
        await _log_in(page, system)
        for kind in ("FactsParked", "CertificatesRefused", "OutsideFailing"):
            await expect(page.locator(f'[data-kind="{kind}"]').first).to_be_visible(timeout=SHOWN_MS_MAX)
        for language in ("ja", "en"):
            await page.goto(system.url(OPS) + f"/parked?lang={language}")
            group = await page.locator("#live table a").first.get_attribute("href")
            await page.goto(system.url(OPS) + str(group))
            fact = await page.locator("#live table a").first.get_attribute("href")
            for name, address in {**PAGES, "facts": str(group), "fact": str(fact)}.items():
                await page.goto(system.url(OPS) + address)
                await watched.is_fit_for_people()
                await page.screenshot(path=SCREENS / f"night-{name}-{language}-{viewport['width']}.png", full_page=True)
