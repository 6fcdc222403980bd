"""What the handlers need besides the transaction: keys, the guarantor's name, and who concludes."""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Self

from services.issuer.domain.announcements import Signed
from services.issuer.domain.names import AUTH_KEY_ALPHABET, AUTH_KEY_CHARACTERS
from services.issuer.domain.states import Conclusion
from shared import clock
from shared.sealing import KEY_BYTES, KeyRing, parse_named_keys
from shared.signing import SigningKeys, canonical

_FINGERPRINT_PURPOSE = b"hosho issuer auth_key fingerprint v1"


@dataclass(frozen=True, slots=True)
class Means:
    """Bound to the handlers once, in `build_app`."""

    ring: KeyRing
    signing: SigningKeys
    guarantor_name: str
    conclusion: Conclusion
    _fingerprint_key: bytes = field(repr=False)

    @classmethod
    def of(cls, *, sealing_keys: str, signing_key: str, guarantor_name: str, conclusion: Conclusion) -> Self:
        """Read the keys.

        The fingerprint key is derived from the *oldest* key of the ring, which changes last: a new sealing key is put
        in front of it, and it leaves only when nothing is sealed by it any more. So a fingerprint means the same over
        every rotation until then, and afterwards a doubled key is as improbable as one in 62^12 draws.

        Raises:
            Misconfigured: naming the key to mend, never its value.
        """
        oldest = parse_named_keys(sealing_keys, length=KEY_BYTES)[-1][1]
        return cls(
            ring=KeyRing.parse(sealing_keys),
            signing=SigningKeys.parse(signing_key),
            guarantor_name=guarantor_name,
            conclusion=conclusion,
            _fingerprint_key=hmac.digest(oldest, _FINGERPRINT_PURPOSE, hashlib.sha256),
        )

    def draw_auth_key(self, guarantee_number: str) -> tuple[str, bytes]:
        """Draw an authentication key; gives it sealed for this guarantee, and its fingerprint.

        The fingerprint is keyed (HMAC-SHA-256): a plain digest of twelve characters could be searched through by
        whoever gets hold of the table, and this one is worth nothing without the ring.
        """
        auth_key = clock.random_text(AUTH_KEY_ALPHABET, AUTH_KEY_CHARACTERS)
        fingerprint = hmac.digest(self._fingerprint_key, auth_key.encode(), hashlib.sha256)
        return self.ring.seal(auth_key, associated=guarantee_number), fingerprint

    def sign(self, content: dict[str, object]) -> Signed:
        """The signed data of a certificate.

        Raises:
            Uncanonical: if a value has no canonical JSON form.
        """
        text = canonical(content)
        return Signed(text.decode(), hashlib.sha256(text).hexdigest(), self.signing.sign(text))
