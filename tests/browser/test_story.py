"""The flyer's story in a browser: apply, confirm, send, wait, read the mail, read the key, print the notice."""

import io
from typing import Final

from playwright.async_api import Page, expect
from pypdf import PdfReader

from deploy.local.programs import simulator
from deploy.local.screen import say
from tests.browser.applying import PORTAL, downloaded, fill_in, log_in
from tests.browser.conftest import People
from tests.browser.watching import Watched
from tests.system import System

ADDRESS: Final = "story@kensetsu.example"
MAIL: Final = "電子保証（認証キー）発行完了のお知らせ"


async def applied(page: Page) -> None:
    """From the top page to 送信完了."""
    await page.get_by_role("link", name="保証申込 前払金保証・契約保証").click()
    await fill_in(page, **{"completion_mail-address": ADDRESS})
    await expect(page.locator('[data-ratio="advance_payment"]')).to_have_text("40.0%")
    await page.get_by_role("button", name="申込確認へ").click()
    await expect(page.get_by_role("heading", name="申込確認")).to_be_visible()
    await expect(page.get_by_role("row", name="前払金保証金額")).to_contain_text("20,000,000円（40.0%）")
    await page.get_by_role("button", name="この内容で送信する").click()
    await expect(page.get_by_role("heading", name="送信完了")).to_be_visible()


async def detail_opened(page: Page) -> None:
    """The steps after the mail: ①保証契約一覧 ②電子保証 (認証キー) ③詳細."""
    await page.get_by_role("navigation").get_by_role("link", name="保証契約一覧").click()
    await page.get_by_role("link", name="電子保証 (認証キー)").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name="前払", exact=True)).first
    await expect(row).to_contain_text("50,000,000円")
    await row.get_by_role("link", name="詳細").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "電子保証概要（前払金保証）※最新の情報を表示しています"
    )


async def notice_printed(watched: Watched) -> str:
    """⑤「電子保証にかかる「認証キー」のお知らせ」（PDF）: what stands in it."""
    paper = await downloaded(watched.page, watched.page.get_by_role("button", name="印刷", exact=True))
    return "".join(one.extract_text() for one in PdfReader(io.BytesIO(paper)).pages)


async def test_a_contractor_applies_waits_reads_the_key_and_prints_the_notice(system: System, people: People) -> None:
    """The whole story, and the official's check at its end; statuses move on the open page by themselves."""
    watched = await people()
    page = await log_in(watched, system)
    say("a person at ○○建設 has logged in")

    await applied(page)
    sent = page.url.rsplit("/", 1)[1]
    say("前払金保証 and 契約保証 are applied for: 申込作成 > 申込確認 > 送信完了")
    await expect(page.get_by_text("発行済")).to_have_count(2)
    await page.reload()
    await expect(page.get_by_text("発行済")).to_have_count(2)
    say("the open page has moved to 発行済 by itself")

    mailbox = await people()
    await mailbox.page.goto(system.url(simulator("mailbox")) + f"/?to={ADDRESS}")
    await expect(mailbox.page.get_by_role("link", name=MAIL)).to_have_count(2)
    await mailbox.page.get_by_role("link", name=MAIL).first.click()
    mail_text = await mailbox.page.inner_text("main")
    say("the mail has arrived")

    await detail_opened(page)
    number = page.url.rsplit("/", 1)[1]
    assert await page.locator("[data-key]").count() == 0
    await page.get_by_role("button", name="認証キーを表示").click()
    key = await page.locator("[data-key]").inner_text()
    assert len(key) == 12
    assert key not in mail_text
    say(f"guarantee {number} is opened, and its key read")

    notice = await notice_printed(watched)
    assert number in notice
    assert key in notice.replace(" ", "").replace("\n", "")
    say("the notice is printed")

    answer = await page.request.post(
        system.url(simulator("platform")) + "/v1/checks", data={"guarantee_number": number, "auth_key": key}
    )
    assert answer.status == 200
    await page.goto(system.url(PORTAL) + "/contracts/applications")
    await expect(page.get_by_role("row").filter(has_text=sent)).to_have_count(1)
    say("an official has confirmed it by number and key; one application stands in the list")
