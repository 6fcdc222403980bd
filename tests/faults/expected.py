"""What must become of an application, told from its content alone; nothing of the services is known here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_PLATFORM_MARKER: Final = re.compile(r"\[platform:([a-z0-9-]+?)(?:-[0-9.]+)?(?:x(?:[0-9]+|\*))?\]")
_MAIL_REFUSED: Final = re.compile(r"smtp-5\d\d(-dot)?(?![0-9x])")
_MAIL_UNKNOWN: Final = re.compile(r"smtp-(drop-dot|slow|silence)")

_FINAL_REFUSAL: Final = "refuse"
_NEEDS_A_PERSON: Final = frozenset(
    {"key-reused", "400", "404", "arrived-missing", "arrived-null", "arrived-unreadable", "arrived-past"}
    | {"arrived-future"}
)

DECLINED: Final = "-declined"
"""The core system declines every line of an application whose id ends so, where it decides at all."""


class End(StrEnum):
    """How a line of an application ends."""

    ISSUED = "issued"
    ORDERED = "ordered"
    REFUSED = "refused"
    DECLINED = "declined"
    HELD = "held"
    """Held for a person, or issued after all when an earlier try was cut short before its odd answer was read."""


class Mail(StrEnum):
    """How the completion mail of an issued line ends."""

    NONE = "none"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(slots=True)
class Sent:
    """An application as its sender knows it.

    Attributes:
        valid: whether intake must accept it.
        attempted: whether it was sent at all; acknowledged: whether it was confirmed, or answered 202 or 200.
        refused_at_once: whether it was answered 422 over HTTP, which leaves nothing behind to be lost.
        certain: what its sender does for sure instead of by dice: "http", "amqp", "repeat", "conflict".
        conflicts: how many other contents under the same id were confirmed or answered 409.
    """

    portal: str
    application: Mapping[str, Any]
    valid: bool
    certain: frozenset[str] = frozenset()
    attempted: bool = False
    acknowledged: bool = False
    refused_at_once: bool = False
    conflicts: int = 0

    @property
    def id(self) -> str:
        """The application's id."""
        return str(self.application["application_id"])

    @property
    def name(self) -> str:
        """Portal and application id."""
        return f"{self.portal}/{self.id}"

    @property
    def lines(self) -> dict[str, End]:
        """What every line must come to, by kind."""
        return {line["kind"]: self._end_of(line) for line in self.application["guarantees"]}

    def _end_of(self, line: Mapping[str, Any]) -> End:
        if self.id.endswith(DECLINED):
            return End.DECLINED
        if line["certificate_form"] == "paper":
            return End.ORDERED
        markers = set(_PLATFORM_MARKER.findall(self.application["contract"]["project_name"]))
        if _FINAL_REFUSAL in markers:
            return End.REFUSED
        return End.HELD if markers & _NEEDS_A_PERSON else End.ISSUED

    @property
    def mail(self) -> Mail:
        """What the mail of each issued line must come to."""
        wish = self.application["completion_mail"]
        if not wish["wanted"]:
            return Mail.NONE
        return Mail.REFUSED if _MAIL_REFUSED.match(str(wish["address"])) else Mail.SENT

    @property
    def mail_may_repeat(self) -> bool:
        """Whether the mailbox itself opens one of the windows that SMTP cannot close, for this address."""
        return _MAIL_UNKNOWN.match(str(self.application["completion_mail"]["address"])) is not None
