"""Clocks: ours beside what others say the time is. A Date header has whole seconds, and an answer takes its while."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp

CLOCK_S_MAX: Final = 2.0
ANSWER_S_MAX: Final = 10.0
MEND: Final = "see that both are synchronised"

_SECOND: Final = timedelta(seconds=1)


async def of_http(session: aiohttp.ClientSession, name: str, url: str) -> list[str]:
    """Findings about the clock of whoever answers at a URL, whatever it answers; one that tells no time has none."""
    sent_at = datetime.now(UTC)
    try:
        async with session.get(url, allow_redirects=False, timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX)) as answer:
            told = answer.headers.get("Date")
    except aiohttp.ClientConnectorCertificateError:
        # That is a finding about its certificate, and made there.
        return []
    except (aiohttp.ClientError, TimeoutError) as failure:
        return [f"{name}: it did not answer ({type(failure).__name__}) — see that it runs, and that its URL is right"]
    got_at = datetime.now(UTC)
    try:
        at = None if told is None else parsedate_to_datetime(told)
    except ValueError:
        return [f"{name}: its Date header is none — see what stands between it and us"]
    return [] if at is None else differing(name, at, at + _SECOND, sent_at, got_at)


def differing(name: str, earliest: datetime, latest: datetime, sent_at: datetime, got_at: datetime) -> list[str]:
    """Whether a clock that told a moment between two differs from ours, by which question and answer went."""
    behind_s, ahead_s = (sent_at - latest).total_seconds(), (earliest - got_at).total_seconds()
    if max(behind_s, ahead_s) <= CLOCK_S_MAX:
        return []
    told = f"{ahead_s:.1f} s ahead of" if ahead_s > behind_s else f"{behind_s:.1f} s behind"
    return [f"{name}: its clock is {told} this machine's — {MEND}"]
