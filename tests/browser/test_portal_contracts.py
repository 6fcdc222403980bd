"""保証契約一覧, 電子保証概要 and 変更 as people use them."""

import json
import re

from playwright.async_api import Page, expect

from deploy.local.programs import simulator
from tests.browser.applying import PORTAL, downloaded, issued, log_in
from tests.browser.conftest import DESKTOP, PHONE, People
from tests.system import System

CONTRACTOR = "有限会社 ○○土木"
EVERY_PAGE = (
    "/",
    "/apply",
    "/contracts/applications",
    "/contracts/electronic",
    "/contracts/reservations",
    "/history",
    "/obligees",
    "/help",
    "/printing",
    "/login",
)
LONG = "公共下水道" + "長い名前の工事" * 12 + "W" * 60


async def opened(page: Page, system: System, number: str) -> None:
    """電子保証概要 of a guarantee."""
    await page.goto(system.url(PORTAL) + f"/contracts/electronic/{number}")


async def test_every_page_fits_a_desk_and_a_phone(system: System, people: People) -> None:
    """Nothing reaches past 360 pixels, however long a name is; every field has its label."""
    for viewport in (DESKTOP, PHONE):
        watched = await people(viewport)
        page = await log_in(watched, system, "株式会社 ○○組")
        number = await issued(page, system, **{"contract-project_name": LONG})
        await watched.is_fit_for_people()
        detail = f"/contracts/electronic/{number}"
        for path in (*EVERY_PAGE, detail, f"{detail}/change"):
            await page.goto(system.url(PORTAL) + path)
            await watched.is_fit_for_people()


async def test_a_guarantee_is_found_by_number_name_and_kind(system: System, people: People) -> None:
    page = await log_in(await people(), system, CONTRACTOR)
    number = await issued(page, system, **{"contract-project_name": "探す工事"})
    rows = page.locator("#electronic tbody tr")

    await page.goto(system.url(PORTAL) + "/contracts/electronic")
    await page.get_by_label("ピンポイント検索: 保証契約番号").fill(number)
    await page.get_by_role("search", name="ピンポイント検索").get_by_role("button").click()
    await expect(rows).to_have_count(1)
    await page.goto(system.url(PORTAL) + "/contracts/electronic")
    await page.get_by_label("工事名").fill("探す")
    await page.get_by_label("保証種類").select_option("契約保証")
    await page.get_by_role("search", name="検索条件").get_by_role("button").click()
    await expect(rows).to_have_count(1)
    await page.get_by_label("期間").fill("2999/01/01")
    await page.get_by_role("search", name="検索条件").get_by_role("button").click()

    await expect(page.get_by_text("該当する電子保証はありません。")).to_be_visible()


async def test_a_change_is_asked_for_and_becomes_the_second_row(system: System, people: People) -> None:
    """増額: the page moves to version 2 by itself, with the same key; a change that is wrong is told at its field."""
    watched = await people()
    watched.expected.append("Failed to load resource: the server responded with a status of 422")
    page = await log_in(watched, system, CONTRACTOR)
    number = await issued(page, system)
    await opened(page, system, number)
    await page.get_by_role("button", name="認証キーを表示").click()
    key = await page.locator("[data-key]").inner_text()
    await page.get_by_role("link", name="変更を申し込む").click()
    await page.get_by_label("変更契約日").fill("2026-06-01")
    await page.get_by_label("変更後の請負金額").fill("六千万")
    await page.get_by_label("変更後の保証金額").fill("24,000,000")
    await page.get_by_label("メールアドレス").fill("keiri@kensetsu.example")
    await page.get_by_role("button", name="変更を送信する").click()
    await expect(page.locator("#price-problem")).not_to_be_empty()
    await page.get_by_label("変更後の請負金額").fill("60,000,000")
    await page.get_by_role("button", name="変更を送信する").click()

    await expect(page.locator("#versions tbody tr")).to_have_count(2)
    await expect(page.locator("#versions tbody tr").nth(1)).to_contain_text("変更")
    await expect(page.locator("#overview")).to_contain_text("24,000,000 円")
    await expect(page.locator("#change-states")).to_contain_text("反映済")
    await page.get_by_role("button", name="認証キーを表示").click()
    assert await page.locator("[data-key]").inner_text() == key
    await page.get_by_role("link", name="変更を申し込む").click()
    # What is now stands beside the fields, and the address that was given last is given again.
    await expect(page.get_by_role("row", name="請負金額")).to_contain_text("60,000,000 円")
    await expect(page.get_by_role("row", name="工期(終わり)")).to_contain_text(re.compile(r"\d{4}/\d{2}/\d{2}"))
    await expect(page.get_by_label("メールアドレス")).to_have_value("keiri@kensetsu.example")


async def test_a_version_is_chosen_as_a_paper_and_as_signed_data(system: System, people: People) -> None:
    page = await log_in(await people(), system, CONTRACTOR)
    number = await issued(page, system)
    await opened(page, system, number)

    paper = await downloaded(page, page.get_by_role("link", name="No.1 新規の電子保証を選択"))
    signed = json.loads(await downloaded(page, page.get_by_role("link", name="No.1 の署名付きデータ")))

    assert paper.startswith(b"%PDF-")
    assert (signed["guarantee_number"], "auth_key" in signed) == (number, False)


async def test_a_guarantee_that_was_ended_says_so_and_since_when(system: System, people: People) -> None:
    """解約 by the office reaches the open page by itself; after it no change can be asked for."""
    page = await log_in(await people(), system, CONTRACTOR)
    number = await issued(page, system)
    await opened(page, system, number)
    notice = page.locator("#overview").get_by_role("status")
    await expect(notice).to_have_count(0)
    office = (await people()).page
    await office.goto(f"{system.url(simulator('core'))}/guarantees/{number}/termination")
    await office.get_by_label("保証契約番号と内容を確認しました").check()
    await office.get_by_role("button", name="解約を送信する").click()
    ended = page.locator("#versions tbody tr").filter(has_text="解約")
    await expect(ended).to_have_count(1)
    ended_at = await ended.locator('[data-name="電子保証発行日時"]').inner_text()

    await expect(notice).to_contain_text("この保証契約は解約されました。")
    await expect(notice).to_contain_text(f"解約の電子証書は{ended_at}に発行されました。")
    await opened(page, system, number)
    await expect(page.get_by_text("変更はお申し込みいただけません。")).to_be_visible()
    await expect(page.get_by_role("link", name="変更を申し込む")).to_have_count(0)


async def test_the_mail_is_sent_again_to_a_mended_address(system: System, people: People) -> None:
    watched = await people()
    watched.expected.append("Failed to load resource: the server responded with a status of 422")
    page = await log_in(watched, system, CONTRACTOR)
    number = await issued(page, system)
    await opened(page, system, number)
    again = page.get_by_role("button", name="お知らせをもう一度送信する")

    await page.get_by_label("メールアドレス（変更する場合）").fill("これは宛先ではない")
    await again.click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("メールアドレス（変更する場合）").fill("somubu@kensetsu.example")
    await again.click()
    await expect(page.locator("#mail-state")).to_contain_text("送信済")

    mailbox = (await people()).page
    await mailbox.goto(system.url(simulator("mailbox")) + "/?to=somubu@kensetsu.example")
    await expect(mailbox.get_by_role("link", name="発行完了のお知らせ")).to_have_count(1)


async def test_nobody_sees_another_contractors_guarantee(system: System, people: People) -> None:
    """It is answered like one that does not exist."""
    mine = await log_in(await people(), system, CONTRACTOR)
    number = await issued(mine, system)
    watched = await people()
    watched.expected.append("Failed to load resource: the server responded with a status of 404")
    other = await log_in(watched, system, "合同会社 ○○造園")

    for path in (number, "99999-999999", f"{number}/certificates/1.pdf", f"{number}/change"):
        await opened(other, system, path)
        await expect(other.get_by_role("alert")).to_have_text("該当する保証契約が見つかりません。")
