"""The completion mail as bytes: a form that is made once, and filled for each mail.

`EmailMessage.as_bytes` takes milliseconds for what changes in six lines of a mail. So headers that are the same in
every mail are folded and encoded once by the standard library, and the rest is put between them: ASCII headers, and
bodies in base64, which every server takes and whose lines hold no dot to be doubled and no boundary.
"""

import base64
from datetime import datetime, timedelta, timezone
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from services.notifier.domain.letter import SUBJECT, Letter, addr_spec, html_of, text_of

_JAPAN: Final = timezone(timedelta(hours=9), "JST")

# "=_" cannot stand in base64 or quoted-printable text (RFC 2045, section 6.7), so no body can hold it.
_BOUNDARY: Final = b"=_hosho-completion-mail"

_PART: Final = (
    b"--" + _BOUNDARY + b'\r\nContent-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
)


class Stationery:
    """What is the same in every mail."""

    def __init__(self, sender: Address) -> None:
        head = EmailMessage(policy=SMTP)
        head["From"] = sender
        head["Subject"] = SUBJECT
        # RFC 3834: answering machines leave such mail alone. It is one mail to one person who asked for it, so it has
        # no List-* headers and no Precedence, which would file it with the newsletters.
        head["Auto-Submitted"] = "auto-generated"
        head["Content-Language"] = "ja"
        head["MIME-Version"] = "1.0"
        folded = bytes(head).rstrip(b"\r\n") + b"\r\n"
        self._form = (
            folded.replace(b"%", b"%%")
            + b'Content-Type: multipart/alternative; boundary="'
            + _BOUNDARY
            + b'"\r\n'
            + b"To: %s\r\nDate: %s\r\nMessage-ID: <%s>\r\n\r\n"
            + _PART % b"plain"
            + b"%s"
            + _PART % b"html"
            + b"%s--"
            + _BOUNDARY
            + b"--\r\n"
        )
        self.host = sender.domain
        """The domain in which Message-IDs are made."""

    def fill(self, letter: Letter, written_at: datetime) -> bytes:
        """The mail: the same bytes for the same letter and time. The address must be mailable."""
        return self._form % (
            addr_spec(letter.address).encode("ascii"),
            format_datetime(written_at.astimezone(_JAPAN)).encode("ascii"),
            letter.message_id.encode("ascii"),
            _body(text_of(letter)),
            _body(html_of(letter)),
        )


def _body(text: str) -> bytes:
    # Text in mail has CRLF at its line ends also inside base64 (RFC 2045, section 6.8).
    return base64.encodebytes(text.replace("\n", "\r\n").encode()).replace(b"\n", b"\r\n")
