"""A person at the town hall types number and key, sees the certificate checked, and learns nothing without the key."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from simulators.portal.doors import Doors
from simulators.portal.samples import example
from tests.browser.beforehand import PORTAL, applied, change_of, portal_doors, standing_at
from tests.browser.conftest import PHONE, People
from tests.browser.watching import Watched
from tests.system import System

NOT_MATCHING = "保証契約番号または認証キーが正しくありません。"
REFUSED_PAGE = "Failed to load resource: the server responded with a status of 4"
"""Chromium notes in its console that a page came with 404 or 429."""


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued guarantee and its key."""

    application: dict[str, Any]
    number: str
    key: str


@pytest.fixture
async def doors(system: System) -> AsyncIterator[Doors]:
    async with portal_doors(system) as opened:
        yield opened


async def issued(doors: Doors, name: str) -> Issued:
    application = example(PORTAL, name)
    [item] = await applied(doors, application, "active")
    number = item["guarantee_number"]
    key = (await doors.reveal_key(number, "経理 太郎")).json()["auth_key"]
    return Issued(application, number, key)


async def check(page: Page, number: str, key: str) -> None:
    """Fills in both fields with the keyboard alone, from the top of the page on."""
    await page.get_by_label("保証契約番号").focus()
    await page.keyboard.press("Control+A")
    await page.keyboard.type(number)
    await page.keyboard.press("Tab")
    await page.keyboard.type(key)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


def shown_time(written: str) -> str:
    return datetime.fromisoformat(written).astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y/%m/%d %H:%M")


async def test_an_official_sees_the_certificate_its_versions_and_that_the_signature_is_right(
    system: System, doors: Doors, people: People
) -> None:
    one = await issued(doors, "OFFICIAL-1")
    change = change_of(one.application, one.number, price=60_000_000, amount=24_000_000)
    assert (await doors.change(change)).status == 202
    detail = await standing_at(doors, one.number, "active", "新規", "変更")
    official = await people()
    page = official.page
    await page.goto(system.url("platform-simulator"))
    await official.is_fit_for_people()
    await check(page, f" {one.number.replace('-', '－')} ", f"{one.key[:4]} {one.key[4:]}")
    facts, history = page.locator("table.facts").first, page.locator("table.list")

    await expect(page.get_by_role("heading", level=1)).to_have_text("電子証書の確認結果")
    await expect(page.get_by_role("status")).to_contain_text("署名：正しいことを確認しました。")
    for words in (one.number, "三島市長", "○○建設 株式会社", "60,000,000円", "24,000,000円", "変更（第2版）"):
        await expect(facts).to_contain_text(words)
    await expect(facts).to_contain_text(shown_time(detail["issued_at"]))
    await expect(history.locator("tbody tr")).to_have_count(2)
    for row, told in zip(await history.locator("tbody tr").all(), reversed(detail["history"]), strict=True):
        await expect(row).to_contain_text(told["version_kind_ja"])
        await expect(row).to_contain_text(shown_time(told["issued_at"]))
        await expect(row).to_contain_text("正しい")
    signed = (await doors.certificate(one.number, 2)).json()
    await expect(facts).to_contain_text(signed["content_sha256"])
    await official.is_fit_for_people()
    await keeps_the_key_to_itself(official, one.key)


async def keeps_the_key_to_itself(official: Watched, key: str) -> None:
    page = official.page
    kept = await page.evaluate("() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]")

    assert key not in page.url
    assert key not in await page.content()
    assert kept == ["{}", "{}", ""]


async def test_the_check_screen_prints_what_was_checked_and_nothing_else(
    system: System, doors: Doors, people: People
) -> None:
    one = await issued(doors, "OFFICIAL-2")
    page = (await people()).page
    await page.goto(system.url("platform-simulator"))
    await check(page, one.number, one.key)
    await page.emulate_media(media="print")

    await expect(page.get_by_text("確認した画面の控え")).to_be_visible()
    await expect(page.get_by_text("署名：正しいことを確認しました。")).to_be_visible()
    await expect(page.get_by_role("link", name="別の電子証書を確認する")).to_be_hidden()
    await expect(page.locator("header.site")).to_be_hidden()


async def test_on_a_phone_the_certificate_fits_the_window(system: System, doors: Doors, people: People) -> None:
    one = await issued(doors, "OFFICIAL-3")
    official = await people(PHONE)
    await official.page.goto(system.url("platform-simulator"))
    await official.is_fit_for_people()
    await check(official.page, one.number, one.key)
    for closed in await official.page.locator("summary").all():
        await closed.click()

    await expect(official.page.get_by_role("status").first).to_contain_text("正しいことを確認しました。")
    await official.is_fit_for_people()


async def test_a_wrong_key_and_an_unknown_number_look_the_same(system: System, doors: Doors, people: People) -> None:
    one = await issued(doors, "OFFICIAL-4")
    official = await people()
    official.expected.append(REFUSED_PAGE)
    page, seen = official.page, []
    for number in (one.number, "99999-000004"):
        await page.goto(system.url("platform-simulator"))
        await check(page, number, one.key.swapcase())
        await expect(page.get_by_role("alert")).to_contain_text(NOT_MATCHING)
        await expect(page.get_by_label("認証キー", exact=True)).to_have_value("")
        seen.append((await page.content()).replace(number, "?"))

    assert seen[0] == seen[1]
    await official.is_fit_for_people()
    await keeps_the_key_to_itself(official, one.key.swapcase())


async def test_repeated_failure_locks_the_number_and_says_when_it_opens(
    system: System, doors: Doors, people: People
) -> None:
    one = await issued(doors, "OFFICIAL-5")
    official = await people()
    official.expected.append(REFUSED_PAGE)
    page = official.page
    await page.goto(system.url("platform-simulator"))
    for left in ("あと4回", "あと3回", "あと2回", "あと1回", "しばらくのあいだ"):
        await check(page, one.number, "wrongwrong12")
        await expect(page.get_by_role("alert")).to_contain_text(left)
    await check(page, one.number, one.key)

    await expect(page.get_by_role("alert")).to_contain_text("ただいまこの番号は確認できません。")
    await expect(page.get_by_role("alert").locator("strong").nth(1)).to_contain_text("秒")
    await expect(page.get_by_role("heading", level=1)).to_have_text("電子証書の確認")
