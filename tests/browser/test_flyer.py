"""The flyer's pages line by line, and its own values, as a person sees them on ours."""

import re
from typing import Final

from playwright.async_api import Page

from tests.browser import flyer
from tests.browser.applying import PORTAL, fill_in, issued, log_in
from tests.browser.conftest import People
from tests.system import System

CONTRACTOR: Final = "○○建設 株式会社"
MOMENT: Final = re.compile(r"[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}")


async def seen(page: Page) -> str:
    """All that stands on a page, the words in its closed helps left out, with one space for any number of them."""
    shown = await page.inner_text("body")
    options = await page.eval_on_selector_all("option", "(all) => all.map((one) => one.textContent).join(' ')")
    return re.sub(r"\s+", " ", f"{shown} {options}")


async def _read(system: System, people: People) -> dict[str, str]:
    page = await log_in(await people(), system, CONTRACTOR)
    number = await issued(page, system)
    places = {place: place for place in flyer.LINES} | {flyer.DETAIL: f"/contracts/electronic/{number}"}
    found = {}
    for place, path in places.items():
        await page.goto(system.url(PORTAL) + path)
        found[place] = await seen(page)
    return found


async def test_every_line_of_the_flyer_stands_where_the_list_says(system: System, people: People) -> None:
    """One that is missing fails; what stands elsewhere, or in other words, is named with its reason."""
    shown = await _read(system, people)

    lines = [(place, line) for place, some in flyer.LINES.items() for line in some]
    lines += [(place, instead) for place, instead, _ in flyer.ELSEWHERE.values()]
    missing = [(place, line) for place, line in lines if line not in shown[place]]
    assert missing == []
    once = [line for line in flyer.TWICE if shown[flyer.APPLY].count(line) < 2]
    assert once == []
    assert MOMENT.search(shown[flyer.DETAIL])
    assert re.search(r"[0-9]{5}-[0-9]{6}", shown[flyer.ELECTRONIC])


async def test_the_form_opens_as_the_flyer_shows_it(system: System, people: People) -> None:
    """What is preselected there is preselected here, both ratios are 0.0%, and ten helps open by keyboard."""
    page = await log_in(await people(), system, CONTRACTOR)
    await page.goto(system.url(PORTAL) + flyer.APPLY)

    chosen = await page.eval_on_selector("#application", "(form) => Object.fromEntries(new FormData(form, null))")
    assert {name: chosen.get(name) for name in flyer.CHOSEN} == flyer.CHOSEN
    assert await page.locator('[data-ratio="advance_payment"]').inner_text() == "0.0%"
    assert await page.locator('[data-ratio="contract_performance"]').inner_text() == "0.0%"
    helps = page.locator("details.help")
    assert await helps.count() == flyer.HELPS
    for place in range(flyer.HELPS):
        await helps.nth(place).locator("summary").press("Enter")
        assert len(await helps.nth(place).locator("p").inner_text()) > 15


async def test_the_flyers_own_values_are_shown_in_its_form(system: System, people: People) -> None:
    page = await log_in(await people(), system, CONTRACTOR)
    await page.goto(system.url(PORTAL) + flyer.APPLY)
    await fill_in(page)
    await page.get_by_role("button", name="申込確認へ").click()

    shown = await page.inner_text("main")
    assert "50,000,000円" in shown
    assert "20,000,000円（40.0%）" in shown
