"""A person at the guarantor's office decides, mends and ends guarantees, and sees what contractors no longer see."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, expect

from simulators.portal.doors import Doors
from simulators.portal.samples import example, with_platform
from tests.browser.beforehand import PORTAL, WITHIN_S, applied, change_of, portal_doors, standing_at
from tests.browser.conftest import PHONE, People
from tests.eventually import eventually
from tests.system import System
from tests.unit.simulators.folders import example as published

CONCLUSION = "core"
AWAITING = "awaiting_conclusion"


@pytest.fixture
async def doors(system: System) -> AsyncIterator[Doors]:
    async with portal_doors(system) as opened:
        yield opened


async def press(page: Page, name: str) -> None:
    """Goes to a button or a link with the keyboard and presses it."""
    found = page.get_by_role("button", name=name, exact=True).or_(page.get_by_role("link", name=name, exact=True))
    await found.focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def shows(page: Page, status: str) -> None:
    """Waits until the page says this 手続状況, asking for the newest state as a person would."""

    async def told() -> bool:
        if await page.locator("#status").inner_text() == status:
            return True
        await press(page, "最新の状態にする")
        return False

    await eventually(told, within_s=WITHIN_S)


async def open_guarantee(system: System, page: Page, number: str) -> None:
    await page.goto(f"{system.url('core-simulator')}/guarantees/{number}")


async def concluded(system: System, page: Page, number: str, status: str = "発行済") -> None:
    """Opens a guarantee that waits and takes it."""
    await open_guarantee(system, page, number)
    await press(page, "引き受ける")
    await shows(page, status)


def both_lines(name: str) -> dict[str, Any]:
    """The published example: an advance payment electronically, a performance guarantee on paper."""
    return published("application") | {
        "application_id": name,
        "portal": PORTAL,
        "message_to_guarantor": "至急お願いします。",
    }


async def history(page: Page) -> list[list[str]]:
    """対象, 状態 and 受注者の画面 of each row."""
    rows = await page.locator("section[aria-labelledby=history] tbody tr").all()
    return [[text.strip() for text in (await row.locator("td").all_inner_texts())] for row in rows]


async def test_a_guarantee_waits_in_the_list_until_the_office_takes_it(
    system: System, doors: Doors, people: People
) -> None:
    [item] = await applied(doors, example(PORTAL, "OFFICE-TAKES"), AWAITING)
    number = item["guarantee_number"]
    office = await people()
    page = office.page
    await page.goto(system.url("core-simulator"))
    await office.is_fit_for_people()
    await press(page, number)
    await expect(page.locator("#status")).to_have_text("引受審査中")
    await office.is_fit_for_people()
    await page.locator("#conclusion_message").fill("ご契約ありがとうございます。")
    await press(page, "引き受ける")
    await expect(page.get_by_role("status")).to_contain_text("保証契約を引き受けました。")
    await shows(page, "発行済")
    detail = await standing_at(doors, number, "active", "新規")
    await page.goto(system.url("core-simulator"))

    assert detail["message_from_guarantor"] == "ご契約ありがとうございます。"
    await expect(page.get_by_role("link", name=number)).to_have_count(0)


async def test_a_declined_line_tells_the_contractor_why(system: System, doors: Doors, people: People) -> None:
    advance, performance = await applied(doors, both_lines("OFFICE-DECLINES"), AWAITING, AWAITING)
    page = (await people()).page
    await open_guarantee(system, page, performance["guarantee_number"])
    await page.get_by_label("お引受できない理由").fill("決算書をご提出ください。")
    await press(page, "お断りする")
    await shows(page, "お引受できません")
    detail = await standing_at(doors, performance["guarantee_number"], "declined")

    assert [one["message_ja"] for one in detail["problems"]] == ["決算書をご提出ください。"]
    await standing_at(doors, advance["guarantee_number"], AWAITING)
    await expect(page.get_by_role("button", name="引き受ける")).to_have_count(0)


async def test_a_paper_line_is_ordered_and_stands_with_contact_and_message(
    system: System, doors: Doors, people: People
) -> None:
    _, paper = await applied(doors, both_lines("OFFICE-PAPER"), AWAITING, AWAITING)
    number = paper["guarantee_number"]
    office = await people()
    page = office.page
    await concluded(system, page, number, "証書作成中")
    for words in ("三島 太郎", "055-000-0000", "至急お願いします。", "静岡支店"):
        await expect(page.locator("main")).to_contain_text(words)

    async def ordered() -> str:
        await page.goto(system.url("core-simulator") + "/orders")
        rows = page.get_by_role("row").filter(has_text=number)
        assert await rows.count() == 1
        return await rows.inner_text()

    row = await eventually(ordered, within_s=WITHIN_S)

    assert "契約保証" in row
    assert "5,000,000円" in row
    for width in (360, 700, 960, 1280):
        await page.set_viewport_size({"width": width, "height": 800})
        await office.is_fit_for_people()


async def test_a_change_makes_version_two_and_is_taken_back(system: System, doors: Doors, people: People) -> None:
    application = example(PORTAL, "OFFICE-TAKES-BACK")
    [item] = await applied(doors, application, AWAITING)
    number = item["guarantee_number"]
    page = (await people()).page
    await concluded(system, page, number)
    await doors.change(change_of(application, number, price=60_000_000, amount=24_000_000))
    await standing_at(doors, number, "active", "新規", "変更")
    await open_guarantee(system, page, number)
    assert [row[1:3] for row in await history(page)] == [["新規", "後の版に置きかえ"], ["変更", "到着 有効"]]
    await press(page, "変更を取り消す")
    await page.get_by_label("保証契約番号と内容を確認しました").press("Space")
    await press(page, "変更取消を送信する")
    detail = await standing_at(doors, number, "active", "新規")
    await shows(page, "発行済")
    rows = await history(page)

    assert (detail["price"], detail["amount"]) == (50_000_000, 20_000_000)
    assert [(row[1], row[4]) for row in rows] == [("新規", "No.1"), ("変更", "非表示"), ("変更取消", "非表示")]


async def test_a_corrected_version_is_hidden_from_the_contractor_and_shown_to_the_office(
    system: System, doors: Doors, people: People
) -> None:
    [item] = await applied(doors, example(PORTAL, "OFFICE-CORRECTS"), AWAITING)
    number = item["guarantee_number"]
    office = await people()
    page = office.page
    await concluded(system, page, number)
    await press(page, "訂正する")
    await office.is_fit_for_people()
    await page.get_by_label("工事名").fill("市道△△線道路改良工事")
    await page.get_by_label("保証金額（円）").fill("20,000,000")
    await press(page, "訂正を送信する")
    detail = await standing_at(doors, number, "active", "訂正")
    await shows(page, "発行済")

    assert detail["project_name"] == "市道△△線道路改良工事"
    assert [(row["no"], row["version"]) for row in detail["history"]] == [(1, 2)]
    assert (await doors.certificate(number, 1)).status == 404
    assert [(row[0], row[1], row[4]) for row in await history(page)] == [("1", "新規", "非表示"), ("2", "訂正", "No.1")]


async def test_a_slip_of_the_pen_looks_other_than_a_refusal_and_is_no_refused_change(
    system: System, doors: Doors, people: People
) -> None:
    [item] = await applied(doors, example(PORTAL, "OFFICE-SLIPS"), AWAITING)
    number = item["guarantee_number"]
    office = await people(PHONE)
    office.expected.append("Failed to load resource: the server responded with a status of 422")
    page = office.page
    await concluded(system, page, number)
    await press(page, "訂正する")
    await page.get_by_label("工事名").fill(" ")
    await page.get_by_label("保証金額（円）").fill("二千万")
    await press(page, "訂正を送信する")
    told = page.get_by_role("alert")
    await expect(told).to_contain_text("まだ送信していません。")
    await office.is_fit_for_people()
    await told.get_by_role("link", name="保証金額（円）").press("Enter")
    await expect(page.locator("#amount")).to_be_focused()
    for name, label in (("amount", "保証金額（円）"), ("project_name", "工事名")):
        problem = await page.locator(f"#{name}-problem").inner_text()
        await expect(page.get_by_label(label)).to_have_accessible_description(problem)
        await expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    slip = await told.evaluate("one => getComputedStyle(one).backgroundColor")
    await page.get_by_label("工事名").fill("市道△△線道路改良工事")
    await page.get_by_label("保証金額（円）").fill("９０,０００,０００")
    await press(page, "訂正を送信する")
    await expect(told).to_contain_text("システムが次の理由で受け付けませんでした。")
    await expect(told.get_by_role("link", name="保証金額（円）").first).to_have_attribute("href", "#amount")
    await expect(page.get_by_label("工事名")).to_have_value("市道△△線道路改良工事")
    await office.is_fit_for_people()
    refusal = await told.evaluate("one => getComputedStyle(one).backgroundColor")
    await open_guarantee(system, page, number)
    requests = page.locator("section[aria-labelledby=requests] tbody tr")

    assert slip != refusal
    await expect(requests).to_have_count(1)
    await expect(requests).to_contain_text("受け付けられませんでした")


async def test_who_looked_at_a_key_is_told_to_the_office(system: System, doors: Doors, people: People) -> None:
    [item] = await applied(doors, example(PORTAL, "OFFICE-SEES-LOOKS"), AWAITING)
    number = item["guarantee_number"]
    office = await people(PHONE)
    page = office.page
    await concluded(system, page, number)
    looks = page.locator("section[aria-labelledby=looks]")
    await expect(looks).to_contain_text("認証キーは、まだ誰にも閲覧されていません。")
    key = (await doors.reveal_key(number, "経理 太郎")).json()["auth_key"]
    await doors.key_notice(number, "三島 花子")
    await press(page, "最新の状態にする")
    rows = looks.locator("tbody tr")

    await expect(rows).to_have_count(2)
    await expect(rows.nth(0)).to_contain_text("三島 花子")
    await expect(rows.nth(0)).to_contain_text("「認証キーのお知らせ」（PDF）")
    await expect(rows.nth(1)).to_contain_text("経理 太郎")
    await expect(rows.nth(1)).to_contain_text("127.0.0.1")
    assert key not in await page.content()
    await office.is_fit_for_people()


async def test_a_refused_certificate_is_found_mended_and_issued(system: System, doors: Doors, people: People) -> None:
    [item] = await applied(doors, with_platform(example(PORTAL, "OFFICE-MENDS"), "refuse"), AWAITING)
    number = item["guarantee_number"]
    office = await people(PHONE)
    page = office.page
    await concluded(system, page, number, "確認中(弊社対応)")
    await page.goto(system.url("core-simulator") + "/?tab=attention")
    await office.is_fit_for_people()
    await press(page, number)
    await expect(page.locator("main")).to_contain_text("プラットフォームが電子証書を受け付けませんでした。")
    await expect(page.locator("main .hint")).to_contain_text(
        ["理由：https://platform.example/problems/certificate-refused"]
    )
    await office.is_fit_for_people()
    await press(page, "訂正する")
    await page.get_by_label("工事名").fill("市道○○線道路改良工事")
    await press(page, "訂正を送信する")
    await shows(page, "発行済")
    detail = await standing_at(doors, number, "active", "訂正")

    assert detail["problems"] == []
    await office.is_fit_for_people()


async def test_the_office_ends_a_guarantee(system: System, doors: Doors, people: People) -> None:
    [item] = await applied(doors, example(PORTAL, "OFFICE-ENDS"), AWAITING)
    number = item["guarantee_number"]
    office = await people()
    page = office.page
    await concluded(system, page, number)
    await press(page, "解約する")
    await press(page, "解約を送信する")
    office.expected.append("Failed to load resource: the server responded with a status of 422")
    await expect(page.locator("#confirmed-problem")).to_have_text(
        "内容を確認し、「確認しました」にチェックを入れてください。"
    )
    await page.get_by_label("保証契約番号と内容を確認しました").press("Space")
    await press(page, "解約を送信する")
    await shows(page, "解約済")

    await standing_at(doors, number, "terminated", "新規", "解約")
    await expect(page.get_by_role("link", name="訂正する")).to_have_count(0)
