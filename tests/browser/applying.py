"""How a person at a contractor logs in and fills in the flyer's application."""

from typing import Any, Final

from playwright.async_api import Locator, Page, expect

from deploy.local.programs import simulator
from tests.browser.watching import Watched
from tests.system import System

PORTAL: Final = simulator("portal")

WORKS: Final = {
    "発注者名": "三島市長",
    "工事名": "市道○○線道路改良工事",
    "請負金額": "50,000,000",
    "契約日": "令和8年1月20日",
    "工期(始まり)": "2026-01-21",
    "工期(終わり)": "2027-12-25",
}


async def log_in(watched: Watched, system: System, contractor: str = "○○建設 株式会社") -> Page:
    """Chooses a contractor; gives the page, which then shows 全体トップ."""
    page = watched.page
    await page.goto(system.url(PORTAL) + "/")
    await page.get_by_role("radio", name=contractor).check()
    await page.get_by_label("ご担当者名").fill("経理 太郎")
    await page.get_by_role("button", name="ログイン").click()
    return page


async def fill_in(page: Page, **others: Any) -> None:
    """Fills in the flyer's application: 50,000,000 and 20,000,000 yen; by keyword, fields by their id."""
    for label, value in WORKS.items():
        await page.get_by_label(label, exact=False).first.fill(value)
    await page.locator("#contract-obligee_code").fill("222062")
    await page.locator("#advance_payment-amount").fill("20,000,000")
    await page.locator("#advance_payment-depository").fill("○○銀行　××支店")
    await page.locator("#contract_performance-amount").fill("5,000,000")
    await page.locator("#completion_mail-address").fill("keiri@kensetsu.example")
    await page.locator("#contact-name").fill("三島 太郎")
    await page.locator("#contact-phone").fill("055-000-0000")
    for field, value in others.items():
        await page.locator(f"#{field}").fill(value)


async def applied(page: Page, system: System, **others: str) -> str:
    """An application written, confirmed and sent; gives its id."""
    await page.goto(system.url(PORTAL) + "/apply")
    await fill_in(page, **others)
    await page.get_by_role("button", name="申込確認へ").click()
    await page.get_by_role("button", name="この内容で送信する").click()
    await page.wait_for_url("**/sent/*")
    return page.url.rsplit("/", 1)[1]


async def issued(page: Page, system: System, **others: str) -> str:
    """An application whose guarantees are issued; gives the number of its 前払金保証."""
    await applied(page, system, **others)
    await expect(page.get_by_text("発行済")).to_have_count(2)
    link = page.get_by_role("row").filter(has_text="前払金保証").get_by_role("link")
    return await link.inner_text()


async def downloaded(page: Page, what: Locator) -> bytes:
    """What the browser keeps when this is clicked."""
    async with page.expect_download() as waiting:
        await what.click()
    path = await (await waiting.value).path()
    return path.read_bytes()
