"""What a judgement says, of an application as of a change: identity, and good or bad.

Identity is (portal, id, digest of the content); `submitted_at` and the order of keys do not count (domain rule 11).
What is unsound in its JSON has no digest: it is never the repeat of anything.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from services.intake.domain.catalogue import Code, problem
from services.intake.domain.fields import Id
from shared.problems import Problem

PROBLEMS_MAX = 100
"""More are counted, not listed, so that an answer always fits into one message."""

GoodT = TypeVar("GoodT")

_ID: Final = TypeAdapter[str](Id)


@dataclass(frozen=True, slots=True)
class Bad:
    """Refused, with all reasons at once."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Judged(Generic[GoodT]):
    """A body that could be read.

    Attributes:
        id: what it calls itself (application or change id), None if that cannot be read.
        is_for_this_door: whether its portal is the one it came through; else it has no identity here.
        digest: SHA-256 of the content in hex, None if the JSON is unsound.
        verdict: what the rules say.
        guarantee_number: of a change, the guarantee it names, None if that cannot be read.
    """

    id: str | None
    is_for_this_door: bool
    digest: str | None
    verdict: GoodT | Bad
    guarantee_number: str | None = None


def id_of(value: object) -> str | None:
    """An application or change id as it was sent, if it is one."""
    try:
        return _ID.validate_python(value, strict=True)
    except ValidationError:
        return None


def digest_of(fields: dict[str, object]) -> str:
    """SHA-256 over the sent object as canonical JSON, in hex: keys sorted, no spaces, without `submitted_at`."""
    content = {name: value for name, value in fields.items() if name != "submitted_at"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def listed(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """As many problems as an answer holds, and how many there are besides."""
    if len(problems) <= PROBLEMS_MAX:
        return tuple(problems)
    more = len(problems) - PROBLEMS_MAX
    return (*problems[:PROBLEMS_MAX], problem(Code.TOO_MANY_PROBLEMS, "", count=more))
