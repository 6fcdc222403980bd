"""Signatures: the published example verifies, ours verify, and nothing that differs in one bit does."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Misconfigured
from shared.signing import SigningKeys, Uncanonical, canonical, content_sha256, signed_content, verify

EXAMPLES = Path(__file__).parents[2] / "contract" / "examples"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / name).read_text(encoding="utf-8"))


def encoded(byte: int, length: int = 32) -> str:
    return base64.b64encode(bytes([byte]) * length).decode()


def base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


CERTIFICATE = example("certificate.json")
JWKS = example("jwks.json")
KEYS = SigningKeys.parse(f"k2:{encoded(2)},k1:{encoded(1)}")
PAYLOAD = canonical(signed_content(CERTIFICATE))


def test_the_published_certificate_verifies_with_the_published_keys() -> None:
    assert content_sha256(signed_content(CERTIFICATE)) == CERTIFICATE["content_sha256"]
    assert verify(PAYLOAD, CERTIFICATE["signature"], JWKS)


def test_key_digest_and_signature_are_not_part_of_what_is_signed() -> None:
    assert set(CERTIFICATE) - set(signed_content(CERTIFICATE)) == {"auth_key", "content_sha256", "signature"}


def test_our_header_is_the_published_one_to_the_letter() -> None:
    keys = SigningKeys.parse(f"example-1:{encoded(1)}")

    assert keys.sign(b"").split(".")[0] == CERTIFICATE["signature"].split(".")[0]


def test_the_published_keys_have_the_members_of_ours() -> None:
    assert [list(key) for key in KEYS.jwks()["keys"]] == [list(JWKS["keys"][0])] * 2


def test_the_first_key_signs_and_all_are_published() -> None:
    jwks = KEYS.jwks()
    older = SigningKeys.parse(f"k1:{encoded(1)}").sign(PAYLOAD)

    assert [key["kid"] for key in jwks["keys"]] == ["k2", "k1"]
    assert KEYS.sign(PAYLOAD).startswith(base64url('{"alg":"Ed25519","kid":"k2","b64":false,"crit":["b64"]}') + "..")
    assert verify(PAYLOAD, KEYS.sign(PAYLOAD), jwks)
    assert verify(PAYLOAD, older, jwks)


def test_another_payload_or_another_key_does_not_verify() -> None:
    stranger = SigningKeys.parse(f"k2:{encoded(9)}")

    assert not verify(PAYLOAD + b" ", KEYS.sign(PAYLOAD), KEYS.jwks())
    assert not verify(PAYLOAD, stranger.sign(PAYLOAD), KEYS.jwks())
    assert not verify(PAYLOAD, KEYS.sign(PAYLOAD), JWKS)


def test_any_altered_letter_of_a_signature_is_noticed() -> None:
    jws = KEYS.sign(PAYLOAD)
    for place in range(len(jws)):
        altered = jws[:place] + ("A" if jws[place] != "A" else "B") + jws[place + 1 :]
        assert not verify(PAYLOAD, altered, KEYS.jwks()), place


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","kid":"k2","b64":false,"crit":["b64"]}',
        '{"alg":"EdDSA","kid":"k2","b64":false,"crit":["b64"]}',
        '{"alg":"Ed25519","kid":"k2","crit":["b64"]}',
        '{"alg":"Ed25519","kid":"k2","b64":true,"crit":["b64"]}',
        '{"alg":"Ed25519","kid":"k2","b64":false}',
        '{"alg":"Ed25519","kid":"k2","b64":false,"crit":["b64","exp"]}',
        '{"alg":"Ed25519","kid":"k3","b64":false,"crit":["b64"]}',
        '{"alg":"Ed25519","b64":false,"crit":["b64"]}',
        "[]",
        "{",
    ],
)
def test_only_our_own_header_is_taken_even_with_a_true_signature(header: str) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes([2]) * 32)
    protected = base64url(header)
    signature = base64.urlsafe_b64encode(private.sign(protected.encode() + b"." + PAYLOAD)).rstrip(b"=").decode()

    assert not verify(PAYLOAD, f"{protected}..{signature}", KEYS.jwks())


@pytest.mark.parametrize("jws", ["", "..", "a..b", "a.b", "....", "é..é"])
def test_what_is_no_signature_does_not_verify(jws: str) -> None:
    assert not verify(PAYLOAD, jws, KEYS.jwks())


def test_a_payload_inside_the_signature_is_not_taken() -> None:
    protected, _, signature = KEYS.sign(PAYLOAD).split(".")

    assert not verify(PAYLOAD, f"{protected}.e30.{signature}", KEYS.jwks())


@pytest.mark.parametrize(
    "jwks", [{}, {"keys": [{}]}, {"keys": [{"kid": "k2", "kty": "OKP", "crv": "Ed25519", "x": "AA"}]}]
)
def test_unusable_keys_verify_nothing(jwks: dict[str, Any]) -> None:
    assert not verify(PAYLOAD, KEYS.sign(PAYLOAD), jwks)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_canonical_form_is_that_of_the_standards_own_encoder(value: Any) -> None:
    """Plain values take a shorter way, which must not be seen in a single byte."""
    try:
        expected = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        with pytest.raises(Uncanonical):
            canonical(value)
    else:
        assert canonical(value) == expected


def test_canonical_form_does_not_depend_on_the_order_of_members() -> None:
    assert canonical({"b": [1, "三島市"], "a": None}) == '{"a":null,"b":[1,"三島市"]}'.encode()
    assert content_sha256({"a": 1, "b": 2}) == content_sha256({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [2**53 + 1, float("nan"), float("inf"), "\ud800", {1: 2}, object()])
def test_what_has_no_canonical_form_is_refused_without_being_quoted(value: object) -> None:
    with pytest.raises(Uncanonical) as told:
        canonical({"hush": value})

    assert str(told.value).startswith("This value has no canonical JSON form")
    assert told.value.__suppress_context__


def test_the_keys_show_their_ids_only() -> None:
    assert repr(KEYS) == "SigningKeys(kids=k2, k1)"


def test_a_bad_seed_is_told_and_not_shown() -> None:
    with pytest.raises(Misconfigured, match="must be 32 bytes long; it has 31") as told:
        SigningKeys.parse(f"k1:{encoded(1, 31)}")

    assert encoded(1, 31) not in str(told.value)
