"""Every fact that services announce: a frozen model with the name of its type.

A fact is told in the past tense and carries what its hearers need, so that none of them has to ask back. What a
portal may see of it is `for_portal()`; sealed keys and mail addresses never pass that door.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One kind of fact. Fields may be added, never changed: old facts must stay readable."""

    # Input stays out of error texts: it may hold a sealed key or a person's address.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    TYPE: ClassVar[str]

    def for_portal(self) -> dict[str, Any] | None:
        """The JSON-ready body that the application's portal gets, or None when portals never see this fact."""
        return None

    def for_journal(self) -> Mapping[str, str] | None:
        """By which words the journal finds this fact again. The journal is kept for ever: no key, no mail address."""
        return None
