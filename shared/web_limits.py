"""How often somebody may ask, and how often with a wrong token: buckets that fill by themselves, few of them.

They are this process's own: with several processes of one service a caller has that many times as much. Behind a proxy
every caller comes from the proxy's address; then the proxy is the place to count tries.
"""

import ipaddress
import math
from collections import OrderedDict
from typing import Final

from shared import clock

ADDRESSES_MAX: Final = 4_096
"""Addresses that are remembered; the one that was silent for longest is forgotten first."""

PORTALS_MAX: Final = 1_024
WRONG_TOKENS_PER_MINUTE: Final = 30
REQUESTS_PER_SECOND: Final = 200
BURST_S: Final = 2.0
"""For how long at the full rate a silent portal may have saved up."""

_NETWORK_BITS: Final = 64
"""One subscriber has a whole network of this size in IPv6, and would be another address every time."""


class Buckets:
    """A bucket for each key; what is taken flows back at a steady rate.

    Args:
        per_s: how much flows back in a second.
        full: how much a bucket holds.
        keys_max: how many buckets there are at the most.
    """

    def __init__(self, per_s: float, full: float, keys_max: int) -> None:
        self._per_s, self._full, self._keys_max = per_s, full, keys_max
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, key: str) -> int:
        """Take one; 0 if there was one, otherwise in how many whole seconds there will be."""
        now_s = clock.monotonic_s()
        level, seen_s = self._levels.pop(key, (self._full, now_s))
        level = min(self._full, level + max(0.0, now_s - seen_s) * self._per_s)
        is_enough = level >= 1.0
        self._levels[key] = (level - 1.0 if is_enough else level, now_s)
        if len(self._levels) > self._keys_max:
            self._levels.popitem(last=False)
        return 0 if is_enough else max(1, math.ceil((1.0 - level) / self._per_s))


class Limits:
    """What one process counts at its web door. A right token is never asked how many wrong ones came before it."""

    def __init__(
        self,
        wrong_tokens_per_minute: int = WRONG_TOKENS_PER_MINUTE,
        requests_per_second: int = REQUESTS_PER_SECOND,
    ) -> None:
        self.tries = Buckets(wrong_tokens_per_minute / 60, wrong_tokens_per_minute, ADDRESSES_MAX)
        self.requests = Buckets(requests_per_second, requests_per_second * BURST_S, PORTALS_MAX)

    def wrong_token_from(self, address: str) -> int:
        """Count a wrong token; 0 while it is simply refused, otherwise after how many seconds to try again."""
        return self.tries.take(network_of(address))

    def request_of(self, portal: str) -> int:
        """Count a request of a portal; 0 if it may go on, otherwise after how many seconds to come again."""
        return self.requests.take(portal)


def network_of(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the network of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _NETWORK_BITS), strict=False))
    return str(parsed)
