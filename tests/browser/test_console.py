"""The console in a browser: who watches sees what is wrong within seconds, and puts it right by keyboard alone."""

from random import Random
from typing import Final

from playwright.async_api import Page, expect

from deploy.places import CHECKOUT
from tests.browser.conftest import PHONE, People
from tests.browser.watching import Watched
from tests.faults.poison import poison_system
from tests.system import System

OPS: Final = "ops"
SCREENS: Final = CHECKOUT / "build" / "screens"
PAGES: Final = ("/", "/flow", "/journey", "/parked", "/due", "/ledger", "/acts", "/runbook")

_FOCUSED: Final = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return "";
  return one.innerText || one.getAttribute("aria-label") || (one.labels && one.labels[0]?.innerText) || "";
}"""
"""What has the focus, by the name a person reads."""

SHOWN_MS_MAX: Final = 5_000
"""What is wrong is on the front page within this time, without anybody loading it again."""

MENDED_MS_MAX: Final = 60_000


async def _log_in(watched: Watched, system: System, who: str = "operator", following: str = "/") -> Page:
    page = watched.page
    await page.goto(system.url(OPS) + following)
    await page.get_by_label("トークン").fill(system.place.stack.secrets.operator_tokens[who])
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="ログアウト")).to_be_visible()
    return page


async def _tab_to(page: Page, name: str) -> None:
    """Move by keyboard until what bears this name has the focus."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(_FOCUSED)
        if name in focused:
            return
    raise AssertionError(f"nothing named {name} is reached by keyboard")


async def _shot(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENS / f"console-{name}.png", full_page=True)


async def test_every_page_fits_its_window_and_names_its_fields(system: System, people: People) -> None:
    for viewport in (None, PHONE):
        watched = await (people() if viewport is None else people(viewport))
        page = await _log_in(watched, system)
        for address in PAGES:
            await page.goto(system.url(OPS) + address)
            await watched.is_fit_for_people()


async def test_whoever_has_no_scripts_sees_every_page_whole(system: System, people: People) -> None:
    page = await _log_in(await people(scripts=False), system, "viewer")
    for address in PAGES:
        await page.goto(system.url(OPS) + address)

        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("link", name="いま", exact=True)).to_be_visible()


async def test_the_language_is_changed_and_remembered(system: System, people: People) -> None:
    watched = await people()
    page = await _log_in(watched, system)
    await page.goto(system.url(OPS) + "/due?errand=send_mail")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Due")).to_be_visible()
    address = page.url
    await page.goto(system.url(OPS) + "/")
    await expect(page.get_by_role("heading", name="What is wrong right now")).to_be_visible()
    await page.get_by_role("button", name="日本語").click()

    assert "errand=send_mail" in address
    await expect(page.get_by_role("heading", name="いま、何が起きているか")).to_be_visible()


async def test_what_is_wrong_appears_by_itself_and_is_put_right_by_keyboard_alone(
    system: System, people: People
) -> None:
    page = await _log_in(await people(), system)
    await expect(page.locator("#pulse")).to_have_text("更新中")
    await poison_system(system, Random(7), 1)
    trouble = page.locator('[data-kind="FactsParked"]')
    await expect(trouble).to_be_visible(timeout=SHOWN_MS_MAX)
    await _shot(page, "front")

    await _tab_to(page, "保留")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="保留されたメッセージ")).to_be_visible()
    await page.locator("table a").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("このグループすべて")).to_be_visible()
    await _tab_to(page, "このグループすべて")
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.type("試験のため")
    await _tab_to(page, "取り下げる")
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome")).to_contain_text("1 件が対象になります")
    await _shot(page, "dry-run")
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome")).to_contain_text("1 件を操作しました")
    await page.goto(system.url(OPS) + "/")

    await expect(trouble).to_have_count(0)
    await page.goto(system.url(OPS) + "/acts")
    await expect(page.get_by_text("試験のため")).to_be_visible(timeout=SHOWN_MS_MAX)


async def test_what_somebody_chose_stays_chosen_while_the_page_changes(system: System, people: People) -> None:
    page = await _log_in(await people(), system)
    await poison_system(system, Random(11), 1)
    await page.goto(system.url(OPS) + "/parked")
    await page.locator("#live table a").first.click(timeout=MENDED_MS_MAX)
    box = page.locator("input[name=id]").first
    await box.check()
    before = await page.locator("#live").inner_html()
    # The age of what lies there is told in seconds at first, so the page changes by itself.
    await page.wait_for_function("(before) => document.getElementById('live').innerHTML !== before", arg=before)

    await expect(box).to_be_checked()


async def test_a_service_that_dies_is_named_within_seconds_and_goes_when_it_is_back(
    system: System, people: People
) -> None:
    page = await _log_in(await people(), system)
    trouble = page.locator('[data-kind="ServiceDown"]')
    await expect(page.locator("#pulse")).to_have_text("更新中")
    system.kill("notifier")
    await expect(trouble).to_contain_text("notifier", timeout=SHOWN_MS_MAX)
    await page.goto(system.url(OPS) + "/flow")
    await expect(page.get_by_text("応答なし")).to_be_visible()
    await _shot(page, "flow-service-down")
    await system.restart("notifier")
    await page.goto(system.url(OPS) + "/")

    await expect(trouble).to_have_count(0, timeout=MENDED_MS_MAX)


async def test_an_outside_is_paused_and_resumed_at_one_page(system: System, people: People) -> None:
    page = await _log_in(await people(), system, following="/due?errand=send_mail")
    reason = page.locator("#stage_reason")
    await reason.fill("点検のため")
    await page.get_by_role("button", name="一時停止").click()
    await expect(page.locator("#outcome")).to_contain_text("操作しました")
    await page.get_by_role("link", name="相手先を待つもの").click()
    await expect(page.locator("#standing")).to_contain_text("点検のため")
    await _shot(page, "due")
    await reason.fill("点検が終わったため")
    await page.get_by_role("button", name="再開").click()

    await expect(page.locator("#outcome")).to_contain_text("操作しました")


async def test_a_viewer_finds_nothing_to_press(system: System, people: People) -> None:
    page = await _log_in(await people(), system, "viewer")
    for address in ("/parked", "/due", "/ledger"):
        await page.goto(system.url(OPS) + address)

        await expect(page.locator("main form[method=post]")).to_have_count(0)
