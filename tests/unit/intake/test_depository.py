"""預託金融機関(全角): legal by JIS X 0208, normalised where certain, refused with its place otherwise (rule 8)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.domain.depository import JIS_X_0208, TWINS, Change, full_width
from tests.unit.intake.samples import good

WHERE = "/guarantees/0/depository"


def test_the_table_is_the_whole_of_jis_x_0208() -> None:
    assert len(JIS_X_0208) == 6_879
    assert set("○×〇●△□※〒ー・〜−，．（）＆ヴヶ々〆Ａｚ０９亜熙\u3000") <= JIS_X_0208
    assert not set("①㈱髙﨑～－—∥ｱﾞA0 \u00a0") & JIS_X_0208


def test_every_twin_stands_in_the_table() -> None:
    assert {twin.character for twin in TWINS.values()} <= JIS_X_0208
    assert not TWINS.keys() & JIS_X_0208


@pytest.mark.parametrize(
    ("given_text", "text", "changes"),
    [
        ("○○銀行\u3000××支店", "○○銀行\u3000××支店", ()),
        ("○○銀行 ××支店", "○○銀行\u3000××支店", (Change.SPACE,)),
        ("ABC銀行", "ＡＢＣ銀行", (Change.LETTER,)),
        ("xyz銀行", "ｘｙｚ銀行", (Change.LETTER,)),
        ("第3銀行", "第３銀行", (Change.DIGIT,)),
        ("ﾐｼﾏ銀行", "ミシマ銀行", (Change.KANA,)),
        ("ｶﾞｯﾋﾟ", "ガッピ", (Change.KANA,)),
        ("ｳﾞｪｰﾙ", "ヴェール", (Change.KANA,)),
        ("ハ\u3099ンク", "バンク", (Change.KANA,)),
        ("｢○○｣･、", "「○○」・、", (Change.KANA,)),
        ("○～×", "○〜×", (Change.WAVE_DASH,)),
        ("○－×", "○−×", (Change.MINUS_SIGN,)),
        ("A 1ｱ～－", "Ａ\u3000１ア〜−", tuple(Change)),
    ],
)
def test_what_is_certain_is_made_full_width(given_text: str, text: str, changes: tuple[Change, ...]) -> None:
    made = full_width(given_text)

    assert (made.text, set(made.changes), made.refused) == (text, set(changes), ())


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("①", [1]),
        ("○(株)", [2, 4]),
        ("○-×", [2]),
        ("/:@[`{", [1, 2, 3, 4, 5, 6]),
        ("㈱○○", [1]),
        ("髙木銀行", [1]),
        ("ﾞ", [1]),
        ("○ﾞ", [2]),
        ("ﾅﾞ", [2]),
        ("\u00a0", [1]),
        ("○\n", [2]),
        ("😀", [1]),
    ],
)
def test_what_is_not_certain_is_refused_at_its_place(text: str, positions: list[int]) -> None:
    assert [place.position for place in full_width(text).refused] == positions


@given(st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_text_is_full_width_or_has_a_refused_character_and_stays_as_it_is_the_second_time(text: str) -> None:
    once = full_width(text)

    assert set(once.text) <= JIS_X_0208
    assert full_width(once.text) == type(once)(once.text, (), ())
    assert bool(once.changes or once.refused) == bool(set(text) - JIS_X_0208)


def test_the_portal_is_told_by_a_remark_in_the_words_of_the_contract() -> None:
    verdict = good({WHERE: "○○銀行 ××支店"})
    (remark,) = verdict.remarks

    assert verdict.application.guarantees[0].depository == "○○銀行\u3000××支店"
    assert verdict.submitted.guarantees[0].depository == "○○銀行 ××支店"
    assert remark.model_dump() == {
        "code": "depository_normalised",
        "pointer": WHERE,
        "message_ja": "預託金融機関の空白を全角にしました。",
        "message_en": "The space in the depository was made full-width.",
    }


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("A銀行", "The letters in the depository were made full-width."),
        ("A 銀行", "The space and letters in the depository were made full-width."),
        ("○～×", "The wave dash in the depository was replaced by its JIS X 0208 twin."),
    ],
)
def test_one_change_and_several_are_told_in_good_english(name: str, told: str) -> None:
    assert [remark.message_en for remark in good({WHERE: name}).remarks] == [told]


def test_several_changes_are_told_together_and_signs_apart() -> None:
    told = [(remark.code, remark.message_ja) for remark in good({WHERE: "A 1～－銀行"}).remarks]

    assert told == [
        ("depository_normalised", "預託金融機関の空白・英字・数字を全角にしました。"),
        (
            "depository_sign_replaced",
            "預託金融機関の波ダッシュ(〜)・マイナス記号(−)をJIS X 0208の文字に置き換えました。",
        ),
    ]
