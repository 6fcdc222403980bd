"""Keys: drawn, sealed, fingerprinted, and what signs the certificates."""

import base64
import hashlib

import pytest

from services.issuer.domain.names import AUTH_KEY_ALPHABET, AUTH_KEY_CHARACTERS
from services.issuer.domain.states import Conclusion
from services.issuer.handlers.means import Means
from shared import clock
from shared.sealing import kid_of
from shared.signing import verify
from tests.unit.issuer.samples import NUMBER

OLD = "old:" + base64.b64encode(bytes(range(32))).decode()
NEW = "new:" + base64.b64encode(bytes(range(1, 33))).decode()


def means(sealing_keys: str = OLD) -> Means:
    return Means.of(
        sealing_keys=sealing_keys,
        signing_key="sign:" + base64.b64encode(bytes(32)).decode(),
        guarantor_name="○○建設業保証株式会社",
        conclusion=Conclusion.AUTOMATIC,
    )


def test_a_key_is_drawn_sealed_for_its_guarantee() -> None:
    sealed, fingerprint = means().draw_auth_key(NUMBER)
    opened = means().ring.open(sealed, associated=NUMBER)

    assert len(opened) == AUTH_KEY_CHARACTERS
    assert set(opened) <= set(AUTH_KEY_ALPHABET)
    assert opened not in sealed
    assert fingerprint != hashlib.sha256(opened.encode()).digest()


def test_no_two_draws_are_alike() -> None:
    draws = [means().draw_auth_key(NUMBER) for _ in range(200)]

    assert len({sealed for sealed, _ in draws}) == len({fingerprint for _, fingerprint in draws}) == 200


def test_one_key_has_one_fingerprint_before_and_after_a_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "random_text", lambda _alphabet, _length: "Z28YUE4J3Bux")
    _, before = means(OLD).draw_auth_key(NUMBER)
    sealed, during = means(f"{NEW},{OLD}").draw_auth_key(NUMBER)

    assert before == during
    assert kid_of(sealed) == "new"


def test_a_certificate_is_signed_over_its_canonical_text() -> None:
    signed = means().sign({"b": 1, "a": "発"})

    assert signed.certificate == '{"a":"発","b":1}'
    assert signed.content_sha256 == hashlib.sha256(signed.certificate.encode()).hexdigest()
    assert verify(signed.certificate.encode(), signed.signature, means().signing.jwks())


def test_what_is_shown_of_the_means_holds_no_key() -> None:
    shown = repr(means())

    assert "kids=old" in shown
    assert "fingerprint" not in shown
