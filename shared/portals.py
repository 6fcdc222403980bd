"""Who may speak to us: the portals and the office, as listed in the portals file (``deploy/portals.toml``).

The file holds hashes of tokens, never tokens. A portal has up to two valid ones at once, so that a token can be
changed without a moment at which neither works: add the new hash, let the portal change over, take the old one away.
"""

import hashlib
import hmac
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from shared import topology
from shared.errors import Misconfigured, Unprocessable

TOKENS_VALID_MAX: Final = 2
OFFICE: Final = "office"

# A portal's broker user bears its id, so an id that is already a user's name would hand over that user's rights.
_RESERVED: Final = frozenset({"core", *topology.SERVICES})
_LINK_BASE: Final = re.compile(
    r"https://[^\s/?#@]+(/[^\s?#]*[^\s/?#])?|http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s?#]*[^\s/?#])?"
)

PortalId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
TokenHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class UnknownPortal(Unprocessable):
    """This portal is not in the portals file; list it there, restart and replay, or discard the message."""

    code = "unknown_portal"


class Portal(BaseModel):
    """One row of the portals file.

    Attributes:
        id: the portal's name in routing keys, URLs and facts; ``office`` is the guarantor's own office.
        broker_user: its user at the broker; the same as ``id``, because rights are written with ``{username}``.
        token_sha256: SHA-256 of each bearer token that is valid, hexadecimal, at most ``TOKENS_VALID_MAX``.
        link_base: what links in mails start with, without a slash at the end.
        answers: ``queue`` if it reads its answers from a queue, ``none`` if it asks over HTTP only.
        scope: ``portal`` sees its own guarantees, ``office`` sees all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: PortalId
    broker_user: str = ""
    token_sha256: Annotated[tuple[TokenHash, ...], Field(max_length=TOKENS_VALID_MAX, repr=False)]
    link_base: str
    answers: Literal["queue", "none"]
    scope: Literal["portal", "office"]

    @model_validator(mode="before")
    @classmethod
    def _name_the_broker_user(cls, row: object) -> object:
        if isinstance(row, Mapping) and "broker_user" not in row:
            return {**row, "broker_user": row.get("id")}
        return row

    @field_validator("id")
    @classmethod
    def _id_is_free(cls, value: str) -> str:
        if value in _RESERVED:
            raise ValueError(f"{value!r} is reserved; choose another id")
        return value

    @field_validator("link_base")
    @classmethod
    def _link_base_is_a_base(cls, value: str) -> str:
        if not _LINK_BASE.fullmatch(value):
            raise ValueError("give https:// (or http:// on this machine), no query, no slash at the end")
        return value

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        if (self.id == OFFICE) != (self.scope == OFFICE):
            raise ValueError(f"the id {OFFICE!r} and the scope {OFFICE!r} belong together; mend one of them")
        if self.broker_user != self.id:
            raise ValueError("broker_user must be the id, because topic permissions are written with {username}")
        return self


class Portals:
    """All portals of one portals file, in its order."""

    def __init__(self, portals: Sequence[Portal]) -> None:
        self._by_id = {portal.id: portal for portal in portals}
        self._hashes = [(bytes.fromhex(text), portal) for portal in portals for text in portal.token_sha256]

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read the portals file.

        Raises:
            Misconfigured: naming the file and every row and field to mend.
        """
        try:
            content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise Misconfigured(f"{path}: cannot be read ({error.strerror}); give the portals file.") from error
        except ValueError as error:
            raise Misconfigured(f"{path}: is not TOML in UTF-8 ({error}).") from error
        rows = content.get("portal")
        if not isinstance(rows, list) or not rows or set(content) != {"portal"}:
            raise Misconfigured(f"{path}: must hold [[portal]] rows, at least one, and nothing else.")
        portals, wrong = _judge(rows)
        if wrong:
            raise Misconfigured("\n".join(f"{path}, {line}" for line in wrong))
        return cls(portals)

    def get(self, portal_id: str) -> Portal:
        """Find a portal by its id.

        Raises:
            UnknownPortal: if no row has it.
        """
        try:
            return self._by_id[portal_id]
        except KeyError:
            raise UnknownPortal from None

    def by_token(self, token: str) -> Portal | None:
        """Find whose bearer token this is; the time it takes tells nothing about how near a guess came."""
        presented = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found: Portal | None = None
        for known, portal in self._hashes:
            if hmac.compare_digest(known, presented):
                found = portal
        return found

    def __contains__(self, portal_id: object) -> bool:
        return portal_id in self._by_id

    def __iter__(self) -> Iterator[Portal]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        return f"Portals({', '.join(self._by_id)})"


def _judge(rows: Sequence[Any]) -> tuple[list[Portal], list[str]]:
    """Read every row, and say of each what is wrong with it and where."""
    portals: list[Portal] = []
    wrong: list[str] = []
    for number, row in enumerate(rows, start=1):
        where = f"portal {number} ({row.get('id', 'no id') if isinstance(row, Mapping) else 'not a table'})"
        try:
            portals.append(Portal.model_validate(row))
        except ValidationError as error:
            for found in error.errors(include_input=False, include_url=False, include_context=False):
                field = ".".join(str(part) for part in found["loc"])
                wrong.append(f"{where}: {field + ': ' if field else ''}{found['msg'].removeprefix('Value error, ')}.")
    for name, count in Counter(portal.id for portal in portals).items():
        if count > 1:
            wrong.append(f"portal {name}: stands {count} times; an id stands once.")
    for text, count in Counter(text for portal in portals for text in portal.token_sha256).items():
        if count > 1:
            owners = ", ".join(portal.id for portal in portals if text in portal.token_sha256)
            wrong.append(f"portal {owners}: token_sha256: the same token stands {count} times; a token has one owner.")
    return portals, wrong
