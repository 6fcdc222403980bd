"""The registry of obligees: check digits, the row in force, and a file that is wrong is told line by line."""

from datetime import date
from pathlib import Path

import pytest

from services.intake.domain.obligees import Basis, Electronic, Registry, WorksKind, has_check_digit, read_registry
from services.intake.domain.obligees.registry import deciding
from services.intake.settings import read_obligees
from shared.errors import Misconfigured
from tests.unit.intake.samples import REGISTRY, ROOT

FILE = (ROOT / "deploy" / "obligees.toml").read_text(encoding="utf-8")
GENERAL = FILE[FILE.index("[[general_rates]]") : FILE.index("# Its own rates")]
LONGEST_ROW_LINES = 12


@pytest.mark.parametrize("code", ["222062", "990019", "990027", "990035", "990001"])
def test_a_right_check_digit_is_taken(code: str) -> None:
    assert has_check_digit(code)


@pytest.mark.parametrize("code", ["222063", "222061", "22206", "2220620", "", "abcdef", "２２２０６２", "99001-"])
def test_a_wrong_check_digit_or_shape_is_not(code: str) -> None:
    assert not has_check_digit(code)


def test_of_ten_check_digits_exactly_one_is_right() -> None:
    for first_five in range(0, 100_000, 997):
        assert sum(has_check_digit(f"{first_five:05}{digit}") for digit in range(10)) == 1


def test_the_first_row_is_the_one_that_was_published_and_no_more() -> None:
    first = REGISTRY.obligees[0]
    (start,) = first.electronic

    assert (first.code, first.name, first.rates, first.key_notices) == ("222062", "三島市長", (), ())
    assert (start.valid_from, start.valid_until, start.basis) == (date(2026, 1, 1), None, Basis.CONTRACT_DATE)
    assert start.works_kinds == tuple(WorksKind)


def test_nobody_else_in_the_file_is_real() -> None:
    others = REGISTRY.obligees[1:]

    assert len(others) >= 5
    for obligee in others:
        assert obligee.code.startswith("99")
        assert obligee.name.startswith(("○○", "△△"))


def test_every_row_says_where_it_was_published() -> None:
    rows = [row for obligee in REGISTRY.obligees for named in obligee.dated_rows.values() for row in named]

    assert all(row.source for row in (*rows, *REGISTRY.general_rates))


def test_rates_of_its_own_come_first_and_the_general_ones_fill_the_gaps() -> None:
    def source(name: str, code: str, day: date) -> str:
        return REGISTRY.rates_for(code, name, day).source

    general = REGISTRY.general_rates[0].source
    assert source("三島市長", "222062", date(2026, 1, 20)) == general
    assert source("どこにもない町長", "000000", date(2026, 1, 20)) == general
    assert source("△△町長", "990027", date(2024, 3, 31)) == general
    assert "令和7年度まで" in source("△△町長", "990027", date(2026, 3, 31))
    assert "令和8年度から" in source("△△町長", "990027", date(2026, 4, 1))


def test_where_key_notices_go_depends_on_the_contract_date() -> None:
    asked = [REGISTRY.key_notice_for("990035", "○○村長", day) for day in (date(2026, 3, 31), date(2026, 4, 1))]

    assert [notice and notice.submit_to for notice in asked] == ["総務課 窓口", None]
    assert REGISTRY.key_notice_for("222062", "三島市長", date(2026, 1, 20)) is None


def _rows() -> tuple[Electronic, Electronic]:
    village = REGISTRY.find("990035", "○○村長")
    assert village is not None
    earlier, later = village.electronic
    return earlier, later


@pytest.mark.parametrize(
    ("contract_date", "tender_notice_date", "which"),
    [
        (date(2024, 3, 31), date(2024, 3, 1), 0),
        (date(2024, 4, 1), None, 0),
        (date(2026, 3, 31), date(2027, 4, 1), 0),
        (date(2026, 4, 1), date(2026, 3, 1), 1),
        (date(2026, 4, 1), None, 1),
        (date(2027, 5, 1), date(2027, 4, 1), 1),
    ],
)
def test_the_row_that_holds_decides_else_the_next_one(
    contract_date: date, tender_notice_date: date | None, which: int
) -> None:
    rows = _rows()

    assert deciding(rows, contract_date, tender_notice_date) is rows[which]


def test_after_the_last_row_the_last_one_tells_until_when() -> None:
    (ended, _) = _rows()

    assert deciding((ended,), date(2026, 4, 1), None) is ended
    assert deciding((), date(2026, 4, 1), None) is None


def _told(text: str) -> list[str]:
    found = read_registry(text)
    assert not isinstance(found, Registry)
    return [str(fault) for fault in found]


def _line(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_a_right_file_is_a_registry() -> None:
    assert isinstance(read_registry(FILE), Registry)
    assert isinstance(read_registry(GENERAL), Registry)


CITY, TOWN = "obligees 2 (990019 ○○市長)", "obligees 4 (990027 △△町長)"
PREFECTURE, VILLAGE = "obligees 5 (990001 ○○県知事)", "obligees 6 (990035 ○○村長)"


@pytest.mark.parametrize(
    ("wrong", "right", "row", "told"),
    [
        ('code = "990027"', 'code = "990028"', "obligees 4 (990028 △△町長), code", "check digit"),
        ('name = "△△町長"', "name = 5", "obligees 4 (990027 5), name", "valid string"),
        ("minimum_price_yen = 1_300_000", "minimum_price = 1", f"{CITY}, rates 1, minimum_price", "Extra"),
        ("valid_until = 2026-03-31", "valid_until = 2024-03-31", f"{TOWN}, rates 1", "before"),
        ("valid_from = 2027-04-01", "valid_from = 2026-03-31", f"{VILLAGE}, electronic 2", "together"),
        ("low_bid_percent = 20", "low_bid_percent = 9", f"{TOWN}, rates 1", "less"),
        ("works_percent = 30", "works_percent = 101", f"{TOWN}, rates 2, advance_works_percent", "100"),
        (
            '["construction"]',
            '["construction", "bridge"]',
            f"{PREFECTURE}, electronic 1, works_kinds 2",
            "construction",
        ),
        ("○○市水道事業管理者", "○○市長", "obligees 3 (990019 ○○市長)", "its first row is obligees 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_row(wrong: str, right: str, row: str, told: str) -> None:
    text = FILE.replace(wrong, right, 1)
    (fault,) = _told(text)
    line, mended = int(fault.split(":")[0].removeprefix("line ")), _line(FILE, wrong)

    assert fault.startswith(f"line {line}: {row}: ")
    assert told in fault
    # A field is told with its own line, a row with the line at which it begins.
    assert line == mended if row.rpartition(", ")[2].isidentifier() else 0 <= mended - line <= LONGEST_ROW_LINES


def test_several_faults_are_told_at_once() -> None:
    text = FILE.replace("valid_from = 2025-10-01", "").replace('code = "990001"', 'code = "990002"')
    told = _told(text)

    assert [fault.split(": ")[1] for fault in told] == [
        "obligees 4 (990027 △△町長), electronic 1, valid_from",
        "obligees 5 (990002 ○○県知事), code",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = = 1", "line 1: is not TOML"),
        ("[[", "is not TOML"),
        ("obligees = []", "general_rates: Field required"),
        ("general_rates = []", "line 1: general_rates"),
        (GENERAL.replace("1900-01-01", "1900-01-02"), "must hold from 1900-01-01 on"),
        (GENERAL.replace("1900-01-01", "1900-01-01\nvalid_until = 2030-03-31"), "is the last and must not end"),
        (
            GENERAL.replace("1900-01-01", "1900-01-01\nvalid_until = 2030-03-31")
            + GENERAL.replace("1900-01-01", "2030-04-02"),
            "leaves days open after 2030-03-31",
        ),
        (GENERAL + GENERAL.replace("1900-01-01", "2030-04-01"), "together with the row from 1900-01-01"),
        (GENERAL + '[[obligees]]\ncode = "990019"\nname = " "\n', "obligees 1 (990019  ), name"),
    ],
)
def test_a_registry_that_is_wrong_is_refused(text: str, told: str) -> None:
    assert told in _told(text)[0]


def test_rows_that_follow_each_other_are_fine() -> None:
    ended = GENERAL.replace("1900-01-01", "1900-01-01\nvalid_until = 2030-03-31")

    assert isinstance(read_registry(ended + GENERAL.replace("1900-01-01", "2030-04-01")), Registry)


def test_a_text_over_several_lines_is_not_taken_for_rows() -> None:
    note = 'source = """\n[[obligees]]\ncode = 1\n"""'
    text = GENERAL.replace('source = "広く公表されている一般的な率。個々の発注者の率ではない。"', note)
    text += '[[obligees]]\ncode = "1"\nname = "○○市長"\n'
    (fault,) = [told for told in _told(text) if "check digit" in told]
    line = _line(text, 'code = "1"')

    assert fault.startswith(f"line {line}: obligees 1 ")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\xff", "is not TOML in UTF-8"),
        (b'[[obligees]]\ncode = "1"\n', "line 2: obligees 1"),
    ],
)
def test_a_file_that_is_wrong_says_what_to_mend(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "obligees.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(Misconfigured, match=told):
        read_obligees(path)
