"""What the notifier announces: what became of a completion mail."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from shared.messages import Message


class MailSent(Message):
    """The mail server took the completion mail."""

    TYPE: ClassVar[str] = "notifier.mail_sent.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    ordinal: int = 1
    """The ordinal of the announcement that asked for this mail."""
    message_id: str
    sent_at: datetime

    def for_journal(self) -> Mapping[str, str]:
        """Which wish for a mail this ends."""
        return {"ordinal": str(self.ordinal)}


class MailRefused(Message):
    """The mail server refused the completion mail for good (a 5xx reply, RFC 5321 §4.2.1)."""

    TYPE: ClassVar[str] = "notifier.mail_refused.v1"

    portal: str
    application_id: str
    guarantee_number: str
    version: int
    ordinal: int = 1
    """The ordinal of the announcement that asked for this mail."""
    message_id: str
    smtp_code: int
    reason: str
    refused_at: datetime

    def for_journal(self) -> Mapping[str, str]:
        """Which wish for a mail this ends, and the mail server's code."""
        return {"ordinal": str(self.ordinal), "smtp_code": str(self.smtp_code)}
