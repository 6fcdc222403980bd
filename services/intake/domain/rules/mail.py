"""Rule 9 on the completion mail, the same for applications and for changes."""

import re
from collections.abc import Iterator
from typing import Final

from services.intake.domain.catalogue import Code, problem
from services.intake.domain.fields import CompletionMail
from shared.problems import Problem

ADDRESS_CHARS_MAX = 254
"""RFC 5321, section 4.5.3.1.3, without the angle brackets."""

# The HTML standard's pattern (what browsers take for an address), with at least one dot in the domain.
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)


def can_be_sent(mail: CompletionMail) -> Iterator[Problem]:
    """Rule 9: a wished completion mail has an address that mail can be sent to [F][D]."""
    if not mail.wanted:
        return
    if not mail.address:
        yield problem(Code.MAIL_ADDRESS_NEEDED, "/completion_mail/address")
    elif len(mail.address) > ADDRESS_CHARS_MAX or _ADDRESS.fullmatch(mail.address) is None:
        yield problem(Code.MAIL_ADDRESS_MALFORMED, "/completion_mail/address")
