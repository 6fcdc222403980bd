"""What the office's pages tell: slips of the pen, refusals by the system, and who looked at a key."""

from collections.abc import AsyncIterator

import pytest

from simulators.core import pages
from tests.unit.simulators.around_the_office import OWN_PAGE, Bench, office_pages
from tests.unit.simulators.folders import NUMBER, guarantee, row
from tests.unit.simulators.reading_pages import Page

ONE = f"/guarantees/{NUMBER}"
HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>{{ 7*7 }}"


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(pages, "SETTLES_S_MAX", 0.1)
    async with office_pages() as opened:
        yield opened


async def test_what_the_door_has_against_a_correction_stands_at_its_fields(bench: Bench) -> None:
    problems = [{"code": "x", "pointer": "/corrections/price", "message_ja": "請負金額の問題", "message_en": "x"}]
    bench.outside.change_answer = (422, {"errors": problems})
    form = {"price": "1", "project_name": HOSTILE}
    async with bench.client.post(f"{ONE}/correction", data=form, headers=OWN_PAGE) as answer:
        page = Page(await answer.text())
    page.assert_in_order()
    fields = {str(one["id"]): one for one in page.fields}

    assert answer.status == 422
    assert "請負金額の問題" in page.words
    assert (fields["price"]["aria-invalid"], fields["price"]["value"]) == ("true", "1")
    assert "price-problem" in str(fields["price"]["aria-describedby"])
    assert fields["project_name"]["value"] == HOSTILE
    assert "aria-invalid" not in fields["project_name"]


async def corrected(bench: Bench, form: dict[str, str]) -> tuple[int, Page]:
    async with bench.client.post(f"{ONE}/correction", data=form, headers=OWN_PAGE) as answer:
        page = Page(await answer.text())
    page.assert_in_order()
    return answer.status, page


async def test_a_slip_of_the_pen_is_sent_nowhere_and_every_field_is_led_to(bench: Bench) -> None:
    """People must see at once whether the system said no, or only they themselves wrote something wrong."""
    form = {"price": "五千万円", "contractor_name": " ", "works_until": "2026-02-30"}
    status, page = await corrected(bench, form)
    fields = {str(one["id"]): one for one in page.fields}
    ids = {given.get("id") for _, given in page.elements}

    assert (status, page.all("div")[0]["class"], bench.outside.sent) == (422, "hint", [])
    assert "まだ送信していません。" in page.words
    assert "受け付けられませんでした" not in page.words
    assert [one for one in page.addresses if one[0] == "#"] == ["#main", "#contractor_name", "#works_until", "#price"]
    for name in form:
        assert fields[name]["aria-invalid"] == "true"
        assert f"{name}-problem" in str(fields[name]["aria-describedby"])
        assert set(str(fields[name]["aria-describedby"]).split()) <= ids
    assert fields["price"]["value"] == "五千万円"


async def test_a_refusal_by_the_system_says_that_it_is_one_and_why(bench: Bench) -> None:
    problems = [
        {"code": "x", "pointer": "/corrections/price", "message_ja": "1円以上にしてください。", "message_en": "x"},
        {"code": "x", "pointer": "/base_version", "message_ja": "版が古くなりました。", "message_en": "x"},
    ]
    bench.outside.change_answer = (422, {"errors": problems})
    status, page = await corrected(bench, {"price": "0"})

    assert (status, page.all("div")[0]["class"], len(bench.outside.sent)) == (422, "bad", 1)
    assert "システムが次の理由で受け付けませんでした。" in page.words
    assert "入力の間違い" not in page.words
    assert [one for one in page.addresses if one[0] == "#"] == ["#main", "#price"]
    assert "版が古くなりました。" in page.words


async def test_who_looked_at_the_key_stands_on_the_page_and_that_nobody_did_too(bench: Bench) -> None:
    _, untouched = await bench.get(ONE)
    look = {"revealed_at": "2026-01-16T00:30:00Z", "portal": "portal-a", "viewer": "経理 太郎"}
    bench.outside.looks = {
        "items": [
            look | {"address": "192.0.2.7", "shown_by": "key_notice"},
            look | {"viewer": "三島 花子", "address": None, "shown_by": None},
        ],
        "has_more": True,
    }
    _, looked = await bench.get(ONE)
    bench.outside.guarantee = guarantee(row(1, state="ordered"), certificate_form="paper")
    _, paper = await bench.get(ONE)
    bench.outside.guarantee, bench.outside.looks = (
        guarantee(row(1, state="in_transit")),
        {"items": [], "has_more": False},
    )
    _, early = await bench.get(ONE)

    assert "認証キーは、まだ誰にも閲覧されていません。" in untouched.words
    for words in (
        "2026/01/16 09:30:00",
        "経理 太郎",
        "192.0.2.7",
        "「認証キーのお知らせ」（PDF）",
        "三島 花子",
        "記録なし",
    ):
        assert words in looked.words
    assert "これより古い記録もあります。" in looked.words
    assert "閲覧されていません" not in looked.words
    assert "認証キーの閲覧記録" not in paper.words
    assert "認証キーは誰も閲覧できません。" in early.words


async def test_what_the_issuer_refuses_comes_back_into_the_form_as_another_change(bench: Bench) -> None:
    """An accepted change keeps its id for ever, so a mended one must not bear it."""
    _, form = await bench.get(f"{ONE}/correction")
    hidden = {str(one["name"]): str(one["value"]) for one in form.all("input") if one.get("type") == "hidden"}
    problem = {"code": "x", "pointer": "/corrections/amount", "message_ja": "上限を超えています。", "message_en": "x"}
    entry = {"portal": "portal-b", "outcome": "rejected", "problems": [problem], "answered_at": "2026-07-01T00:00:00Z"}
    bench.outside.requests = [entry | {"change_id": hidden["change_id"]}]
    async with bench.client.post(f"{ONE}/correction", data=hidden | {"amount": "1"}, headers=OWN_PAGE) as answer:
        page = Page(await answer.text())
    again = {str(one["name"]): str(one["value"]) for one in page.all("input") if one.get("type") == "hidden"}

    assert (answer.status, len(bench.outside.sent)) == (422, 1)
    assert "上限を超えています。" in page.words
    assert bench.outside.sent[0]["change_id"] == hidden["change_id"] != again["change_id"]


async def decided(bench: Bench, what: str, form: dict[str, str]) -> tuple[int, str, set[str | None]]:
    """The status, the page as text, and the event ids of its forms."""
    async with bench.client.post(f"{ONE}/{what}", data=form, headers=OWN_PAGE) as answer:
        text = await answer.text()
    ids = {one.get("value") for one in Page(text).all("input") if one.get("name") == "event_id"}
    return answer.status, text, ids


async def test_a_decision_that_could_not_be_taken_keeps_what_was_typed_and_its_id(bench: Bench) -> None:
    """Sending the page again is then the same decision, as the page promises."""
    bench.outside.guarantee = guarantee(status="awaiting_conclusion", status_ja="引受審査中")
    without_reason = await decided(
        bench, "refusal", {"event_id": "e-1", "reason": "", "message_from_guarantor": "お電話ください。"}
    )
    bench.broker.is_away = True
    not_sent = await decided(
        bench, "conclusion", {"event_id": "e-2", "message_from_guarantor": "ありがとうございます。"}
    )

    assert (without_reason[0], without_reason[2]) == (422, {"e-1"})
    assert ">お電話ください。</textarea>" in without_reason[1]
    assert "お引受できません。営業部・支店へ" not in without_reason[1]
    assert (not_sent[0], not_sent[2]) == (503, {"e-2"})
    assert ">ありがとうございます。</textarea>" in not_sent[1]


async def test_a_form_from_before_another_change_leads_to_the_newest_content(bench: Bench) -> None:
    """Sending it again would be refused for ever, since it starts from a version that holds no more."""
    problem = {"code": "x", "pointer": "/base_version", "message_ja": "最新ではありません。", "message_en": "x"}
    bench.outside.change_answer = (422, {"errors": [problem]})
    bench.outside.guarantee = guarantee(row(1, state="corrected"), row(2, "correction"))
    _, old = await corrected(bench, {"base_version": "1", "project_name": "市道△△線"})
    _, newest = await corrected(bench, {"base_version": "2", "project_name": "市道△△線"})

    assert f"{ONE}/correction" in [one.get("href") for one in old.all("a")]
    assert f"{ONE}/correction" not in [one.get("href") for one in newest.all("a")]


async def test_a_confirmation_stays_ticked_after_a_slip_and_is_asked_for_again_after_a_refusal(bench: Bench) -> None:
    async def ticked(form: dict[str, str]) -> bool:
        async with bench.client.post(f"{ONE}/termination", data=form, headers=OWN_PAGE) as answer:
            fields = {str(one["id"]): one for one in Page(await answer.text()).fields}
        return "checked" in fields["confirmed"]

    bench.outside.change_answer = (422, {"errors": [{"pointer": "", "message_ja": "できません。"}]})

    assert await ticked({"confirmed": "yes", "mail_wanted": "yes", "mail_address": "keiri@"})
    assert not await ticked({"confirmed": "yes"})
