"""How the issuer and a printing process talk: a length and an order in; a word, a length and a paper out."""

from struct import Struct
from typing import Final

LENGTH: Final = Struct(">I")

READY: Final = b"R"
"""Said once, when the faces are read."""
PRINTED: Final = b"P"
SPOILED: Final = b"S"
"""No reason is told: it would quote what was to be printed, which may be a key."""

ORDER_BYTES_MAX: Final = 1024 * 1024
PAPER_BYTES_MAX: Final = 8 * 1024 * 1024
PAPER_S_MAX: Final = 10
"""One paper takes about 0.05 s; longer than this it is stuck."""
