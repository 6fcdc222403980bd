"""What stands on the papers, before anything is printed."""

import json
from datetime import date
from typing import Any

import pytest

from services.issuer.papers.content import SignedCertificate, UnreadableCertificate, day
from tests.unit.issuer.papers.notices import KEY, certificate, notice


def rows_of(signed: SignedCertificate) -> dict[str, str]:
    shown = json.loads(signed.order())["given"]["shown"]
    return {name: text for section in shown["sections"] for name, text in section["rows"]}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (date(2019, 4, 30), "2019年4月30日"),
        (date(2019, 5, 1), "2019年5月1日（令和元年5月1日）"),
        (date(2026, 1, 20), "2026年1月20日（令和8年1月20日）"),
    ],
)
def test_a_date_is_told_in_both_calendars(written: date, told: str) -> None:
    assert day(written) == told


def test_every_signed_member_is_told() -> None:
    assert rows_of(certificate()) == {
        "保証契約番号": "00000-000001",
        "版": "1",
        "対象": "新規",
        "商品名": "前払金保証",
        "保証種類": "前払金保証",
        "保証金額": "20,000,000 円",
        "保証期間の始まり": "2026年1月20日（令和8年1月20日）",
        "保証期限": "2026年12月25日（令和8年12月25日）",
        "預託金融機関": "○○銀行　××支店",
        "保証事業会社": "○○建設業保証株式会社",
        "締結日時": "2026/01/15 09:30:01.200（日本時間）",
        "請負契約者": "○○建設 株式会社",
        "JV名": "―",
        "発注者名": "三島市長",
        "発注者コード": "222062",
        "工事名": "市道○○線道路改良工事",
        "契約日": "2026年1月20日（令和8年1月20日）",
        "工期の始まり": "2026年1月21日（令和8年1月21日）",
        "工期の終わり": "2026年12月25日（令和8年12月25日）",
        "請負金額": "50,000,000 円",
        "今年度対象額": "―",
    }


def test_members_this_program_does_not_know_are_told_by_their_pointer() -> None:
    rows = rows_of(certificate(new={"a/b~": [True, {}], "n": 1.5}))

    assert {name: rows[name] for name in rows if name.startswith("/")} == {
        "/new/a~1b~0/0": "true",
        "/new/a~1b~0/1": "{}",
        "/new/n": "1.5",
    }


@pytest.mark.parametrize(
    ("changed", "label", "told"),
    [
        ({"guarantee_until": "いつか"}, "保証期限", "いつか"),
        ({"version_kind": "renewal"}, "対象", "renewal"),
        ({"price": "50"}, "請負金額", "50"),
        ({"price": True}, "請負金額", "true"),
        ({"kind": "bid"}, "保証種類", "bid"),
    ],
)
def test_a_value_of_another_form_is_told_as_it_was_signed(changed: dict[str, Any], label: str, told: str) -> None:
    assert rows_of(certificate(**changed))[label] == told


@pytest.mark.parametrize(
    "signed",
    [
        SignedCertificate("[]", "0", "e30..x"),
        SignedCertificate("{", "0", "e30..x"),
        SignedCertificate('{"concluded_at": "2026-01-15T09:30:01.200+09:00"}', "0", "…"),
        SignedCertificate('{"concluded_at": "2026-01-15T09:30:01.200+09:00"}', "0", "W10..x"),
        SignedCertificate('{"concluded_at": 5}', "0", "e30..x"),
    ],
)
def test_what_is_no_certificate_is_told_apart(signed: SignedCertificate) -> None:
    with pytest.raises(UnreadableCertificate):
        signed.order()


def test_a_notice_does_not_show_its_key() -> None:
    assert KEY not in repr(notice())
