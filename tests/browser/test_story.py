"""The flyer's story in a browser: apply, confirm, send, wait, read the mail, read the key, print the notice."""

from playwright.async_api import expect

from tests.browser.applying import fill_in, log_in
from tests.browser.conftest import People
from tests.system import System


async def test_an_application_is_written_confirmed_and_sent(system: System, people: People) -> None:
    watched = await people()
    page = await log_in(watched, system)

    await page.get_by_role("link", name="保証申込 前払金保証・契約保証").click()
    await fill_in(page)
    await page.get_by_role("button", name="申込確認へ").click()
    await expect(page.get_by_role("heading", name="申込確認")).to_be_visible()
    await page.get_by_role("button", name="この内容で送信する").click()
    await expect(page.get_by_role("heading", name="送信完了")).to_be_visible()

    await expect(page.get_by_text("発行済")).to_have_count(2)
    await watched.is_fit_for_people()
