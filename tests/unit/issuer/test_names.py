"""Numbers, words, dates and contents of a guarantee."""

import json
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from services.issuer.domain.certificate import certificate_content
from services.issuer.domain.names import (
    AUTH_KEY_ALPHABET,
    GUARANTEE_NUMBER,
    PRODUCT_NAMES,
    SERIAL_MAX,
    VERSION_KIND_JA,
    VersionKind,
    guarantee_number_of,
)
from services.issuer.domain.particulars import particulars_of
from shared.messages.intake import Kind
from shared.signing import canonical, signed_content
from tests.unit.issuer.samples import CONCLUDED_AT, NUMBER, application

EXAMPLE = Path(__file__).parents[2] / "contract" / "examples" / "certificate.json"


@pytest.mark.parametrize(
    ("serial", "number"),
    [
        (1, "00000-000001"),
        (999_999, "00000-999999"),
        (1_000_000, "00001-000000"),
        (12_345_678, "00012-345678"),
        (SERIAL_MAX, "99999-999999"),
    ],
)
def test_a_number_is_a_serial_in_five_and_six_digits(serial: int, number: str) -> None:
    written = guarantee_number_of(serial)

    assert written == number
    assert GUARANTEE_NUMBER.fullmatch(written)


@pytest.mark.parametrize("serial", [-1, 0, SERIAL_MAX + 1])
def test_a_serial_that_does_not_fit_has_no_number(serial: int) -> None:
    with pytest.raises(ValueError, match="1 to 99999999999"):
        guarantee_number_of(serial)


def test_numbers_sort_as_their_serials_do() -> None:
    serials = [1, 9, 10, 999_999, 1_000_000, 12_345_678, SERIAL_MAX]

    assert sorted(map(guarantee_number_of, serials)) == [guarantee_number_of(serial) for serial in serials]


def test_every_kind_has_its_product_name_and_every_version_kind_its_word() -> None:
    assert set(PRODUCT_NAMES) == set(get_args(Kind))
    assert set(VERSION_KIND_JA) == set(VersionKind)


def test_a_key_is_made_of_upper_and_lower_letters_and_digits() -> None:
    assert len(AUTH_KEY_ALPHABET) == len(set(AUTH_KEY_ALPHABET)) == 62
    assert all(character.isascii() and character.isalnum() for character in AUTH_KEY_ALPHABET)


@pytest.mark.parametrize(
    ("works_until", "amount", "year", "until"),
    [
        ("2026-12-25", None, None, date(2026, 12, 25)),
        ("2028-03-25", None, None, date(2028, 3, 25)),
        ("2028-03-25", 90_000_000, 2026, date(2027, 3, 31)),
        ("2027-03-31", 90_000_000, 2026, date(2027, 3, 31)),
        ("2027-04-01", 90_000_000, 2026, date(2027, 3, 31)),
        ("2026-12-25", 90_000_000, 2026, date(2026, 12, 25)),
    ],
)
def test_a_guarantee_holds_until_works_end_or_this_years_amount_does(
    works_until: str, amount: int | None, year: int | None, until: date
) -> None:
    places = {
        "contract__works_until": works_until,
        "contract__fiscal_year_amount": amount,
        "contract__fiscal_year": year,
    }

    read = application(**places)

    assert particulars_of(read, read.guarantees[0]).guarantee_until == until


def test_this_years_amount_without_its_year_is_not_read() -> None:
    with pytest.raises(ValueError, match="fiscal_year"):
        application(contract__fiscal_year_amount=1)


def test_a_certificate_says_what_the_published_example_says() -> None:
    read = application()
    said = particulars_of(read, read.guarantees[0])
    named = (NUMBER, 1, VersionKind.NEW)
    content = certificate_content(
        named, "advance_payment", said, guarantor="○○建設業保証株式会社", concluded_at=CONCLUDED_AT
    )

    published = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert content == signed_content(published)
    assert canonical(content) == canonical(signed_content(published))
