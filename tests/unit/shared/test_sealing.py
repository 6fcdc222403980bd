"""A sealed key opens with the right ring for the right guarantee, and in no other case."""

import base64
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Misconfigured
from shared.sealing import KeyRing, Unopenable, kid_of

NUMBER = "00000-000001"
KEY = "Z28YUE4J3Bux"


def encoded(byte: int, length: int = 32) -> str:
    return base64.b64encode(bytes([byte]) * length).decode()


RING = KeyRing.parse(f"k2:{encoded(2)},k1:{encoded(1)}")
OLD_RING = KeyRing.parse(f"k1:{encoded(1)}")


def test_a_sealed_text_has_version_key_id_and_body_and_hides_its_content() -> None:
    sealed = RING.seal(KEY, associated=NUMBER)

    assert re.fullmatch(r"v1\.k2\.[A-Za-z0-9_-]+", sealed)
    assert KEY not in sealed
    assert kid_of(sealed) == "k2"


@given(plain=st.text(max_size=40), associated=st.text(max_size=20))
def test_whatever_is_sealed_opens_again_with_the_same_companion(plain: str, associated: str) -> None:
    assert RING.open(RING.seal(plain, associated=associated), associated=associated) == plain


def test_the_same_text_is_never_sealed_alike_twice() -> None:
    assert len({RING.seal(KEY, associated=NUMBER) for _ in range(50)}) == 50


def test_the_first_key_seals_and_every_key_opens() -> None:
    sealed_before_the_change = OLD_RING.seal(KEY, associated=NUMBER)

    assert RING.open(sealed_before_the_change, associated=NUMBER) == KEY
    assert RING.kids == ("k2", "k1")


def test_what_was_sealed_for_another_guarantee_does_not_open() -> None:
    sealed = RING.seal(KEY, associated=NUMBER)

    with pytest.raises(Unopenable):
        RING.open(sealed, associated="00000-000002")


def test_a_missing_key_is_named() -> None:
    sealed = RING.seal(KEY, associated=NUMBER)

    with pytest.raises(Unopenable, match="'k2' is not in the ring"):
        OLD_RING.open(sealed, associated=NUMBER)


def test_any_altered_letter_is_noticed() -> None:
    sealed = RING.seal(KEY, associated=NUMBER)
    for place in range(len(sealed)):
        altered = sealed[:place] + ("A" if sealed[place] != "A" else "B") + sealed[place + 1 :]
        with pytest.raises(Unopenable):
            RING.open(altered, associated=NUMBER)


@pytest.mark.parametrize(
    "text", ["", KEY, "v2.k2.AAAA", "v1.k2.AAAA", "v1..", "v1.k2." + "A" * 37, "v1.k 2." + "A" * 60]
)
def test_what_is_no_sealed_text_is_told_so(text: str) -> None:
    with pytest.raises(Unopenable):
        kid_of(text)
    with pytest.raises(Unopenable):
        RING.open(text, associated=NUMBER)


def test_the_ring_shows_its_ids_and_keeps_its_keys() -> None:
    assert repr(RING) == "KeyRing(kids=k2, k1)"
    with pytest.raises(TypeError):
        pickle.dumps(RING)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("", "Key 1: write it as kid:base64"),
        ("hush", "Key 1: write it as kid:base64"),
        ("k.1:" + encoded(1), "Key 1: write it as kid:base64"),
        (f"k1:{encoded(1)},", "Key 2: write it as kid:base64"),
        ("k1:hush!", r"Key 1 \(k1\): what follows the colon is not base64"),
        (f"k1:{encoded(1, 16)}", r"Key 1 \(k1\): must be 32 bytes long; it has 16"),
        (f"k1:{encoded(1)},k1:{encoded(2)}", "twice"),
    ],
)
def test_a_bad_secret_is_told_by_position_and_never_shown(secret: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as told:
        KeyRing.parse(secret)

    assert "hush" not in str(told.value)
    assert encoded(1) not in str(told.value)
