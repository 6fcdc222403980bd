"""申込作成 as people use it: what is told while they type, what is kept, and what is never sent twice."""

from typing import Final

from playwright.async_api import Page, expect

from tests.browser.applying import PORTAL, applied, fill_in, log_in
from tests.browser.conftest import PHONE, People
from tests.system import System

REFUSED: Final = "Failed to load resource: the server responded with a status of 422"
TABS_MAX: Final = 40
KEYED: Final = {
    "contract-obligee_name": "三島市長",
    "contract-obligee_code": "222062",
    "contract-project_name": "キーボードだけの工事",
    "contract-price": "50000000",
    "contract-contract_date": "2026-01-20",
    "contract-works_from": "2026-01-21",
    "contract-works_until": "2027-12-25",
    "advance_payment-amount": "20000000",
    "advance_payment-depository": "○○銀行　××支店",
    "contract_performance-amount": "5000000",
    "completion_mail-address": "keiri@kensetsu.example",
    "contact-name": "三島 太郎",
    "contact-phone": "055-000-0000",
}


async def tab_to(page: Page, what: str) -> None:
    """Presses Tab until the focus is on what this selector means."""
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        if await page.evaluate("(what) => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"Tab does not lead to {what}")


async def test_the_ratio_and_the_problems_of_a_field_follow_what_is_typed(system: System, people: People) -> None:
    """What `check` says stands at its field once that was written in, and goes when it is mended."""
    page = await log_in(await people(), system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")
    amount, problem = page.locator("#advance_payment-amount"), page.locator("#advance_payment-amount-problem")
    await expect(page.locator('[data-ratio="advance_payment"]')).to_have_text("0.0%")
    await fill_in(page)

    await amount.fill("20,000,001")
    await expect(problem).to_contain_text("20,000,000円")
    await expect(amount).to_have_attribute("aria-invalid", "true")
    assert await amount.get_attribute("aria-describedby") == "advance_payment-amount-problem"
    await amount.fill("２０，０００，０００円")
    await expect(problem).to_be_empty()

    await expect(page.locator('[data-ratio="advance_payment"]')).to_have_text("40.0%")
    await expect(page.locator('[data-ratio="contract_performance"]')).to_have_text("10.0%")


async def test_a_field_nobody_has_written_in_is_not_complained_about_yet(system: System, people: People) -> None:
    page = await log_in(await people(), system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")

    async with page.expect_response("**/apply/check"):
        await page.locator("#contract-price").fill("0")

    await expect(page.locator("#contract-price-problem")).not_to_be_empty()
    await expect(page.locator("[data-problem]:not(:empty)")).to_have_count(1)
    await expect(page.locator("[aria-invalid]")).to_have_count(1)


async def test_what_is_wrong_is_summed_up_with_links_and_nothing_typed_is_lost(system: System, people: People) -> None:
    watched = await people(PHONE)
    watched.expected.append(REFUSED)
    page = await log_in(watched, system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")
    await page.locator("#contract-project_name").fill("<b>\"工事\" & 'その他'</b>")
    await page.locator("#contract-price").fill("五千万")
    await page.get_by_role("radio", name="証書(紙)").first.check()
    await page.get_by_role("button", name="申込確認へ").click()

    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await summary.get_by_role("link", name="担当者名").click()
    await expect(page.locator("#contact-name")).to_be_focused()
    assert await page.locator("#contract-project_name").input_value() == "<b>\"工事\" & 'その他'</b>"
    assert await page.locator("#contract-price").input_value() == "五千万"
    await expect(page.locator("#contract-price-problem")).not_to_be_empty()
    assert await page.get_by_role("radio", name="証書(紙)").first.is_checked()
    await watched.is_fit_for_people()


async def test_one_can_go_back_from_the_confirmation_without_loss(system: System, people: People) -> None:
    page = await log_in(await people(), system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")
    await fill_in(page)
    await page.get_by_label("お客様から弊社への連絡事項").fill("一行目\n二行目")
    given = await page.locator("input[name=application_id]").input_value()
    await page.get_by_role("button", name="申込確認へ").click()
    await page.get_by_role("button", name="戻って修正する").click()

    assert await page.locator("#contract-contract_date").input_value() == "令和8年1月20日"
    assert await page.get_by_label("お客様から弊社への連絡事項").input_value() == "一行目\n二行目"
    assert await page.locator("input[name=application_id]").input_value() == given


async def test_the_two_clear_links_clear_their_part_only(system: System, people: People) -> None:
    page = await log_in(await people(), system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")
    await fill_in(page)

    await page.get_by_role("button", name="保証の申込内容をクリア").click()
    await expect(page.locator("#advance_payment-amount")).to_have_value("")
    await expect(page.locator("#contact-name")).to_have_value("三島 太郎")
    await page.get_by_role("button", name="インフォメーションをクリア").click()

    await expect(page.locator("#contact-name")).to_have_value("")
    await expect(page.locator("#contract-price")).to_have_value("50,000,000")


async def test_an_application_sent_twice_is_one_application(system: System, people: People) -> None:
    """Loading 送信完了 again sends nothing, and the same form sent once more is a repeat of the same application."""
    page = await log_in(await people(), system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")
    await fill_in(page)
    await page.get_by_role("button", name="申込確認へ").click()
    form = await page.eval_on_selector("form[data-once]", "(form) => Object.fromEntries(new FormData(form))")
    await page.get_by_role("button", name="この内容で送信する").click()
    await page.wait_for_url("**/sent/*")
    await page.reload()
    again = await page.request.post(system.url(PORTAL) + "/apply/send", form=form)
    await expect(page.get_by_text("発行済")).to_have_count(2)

    assert again.url == page.url
    answer = await page.request.get(system.url(PORTAL) + f"/guarantees?application_id={form['application_id']}")
    assert len((await answer.json())["items"]) == 2


async def test_the_browsers_own_way_back_loses_nothing_either(system: System, people: People) -> None:
    page = await log_in(await people(), system, "髙橋建設 株式会社")
    await page.goto(system.url(PORTAL) + "/apply")
    await fill_in(page)
    given = await page.locator("input[name=application_id]").input_value()
    await page.get_by_role("button", name="申込確認へ").click()
    await expect(page.get_by_role("heading", name="申込確認")).to_be_visible()
    await page.go_back()

    await expect(page.locator("#advance_payment-amount")).to_have_value("20,000,000")
    await expect(page.locator('[data-ratio="advance_payment"]')).to_have_text("40.0%")
    assert await page.locator("input[name=application_id]").input_value() == given


async def test_the_keyboard_alone_is_enough(system: System, people: People) -> None:
    """From the login to 送信完了 without a mouse, in the order in which the fields stand."""
    page = (await people()).page
    await page.goto(system.url(PORTAL) + "/login?next=/apply")
    await tab_to(page, "button[type=submit]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="申込の作成(新規)")).to_be_visible()
    for field, value in KEYED.items():
        await tab_to(page, f"#{field}")
        # A field that another one filled in is written over, as a person would.
        await page.keyboard.press("Control+A")
        await page.keyboard.insert_text(value)
    await tab_to(page, "button[value=confirm]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="申込確認")).to_be_visible()
    await tab_to(page, "form[data-once] button")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="送信完了")).to_be_visible()


async def test_everything_works_without_scripts(system: System, people: People) -> None:
    page = await log_in(await people(scripts=False), system, "髙橋建設 株式会社")
    await applied(page, system)

    await expect(page.get_by_role("heading", name="送信完了")).to_be_visible()
