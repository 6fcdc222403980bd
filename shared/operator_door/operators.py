"""Who watches and who acts: the operators file, which holds hashes of tokens and never tokens.

A viewer may read everything an operator may; only an operator may change something. Two tokens of one name can be valid
at once, so that a token can be changed without a moment at which neither works.
"""

import hashlib
import hmac
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from shared.errors import Misconfigured

TOKENS_VALID_MAX: Final = 2

Scope = Literal["viewer", "operator"]
TokenHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Operator(BaseModel):
    """One row of the operators file.

    Attributes:
        name: who this is in the record of acts; a person or a program.
        scope: `viewer` reads, `operator` reads and acts.
        token_sha256: SHA-256 of each valid bearer token, hexadecimal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9._-]{1,64}$")]
    scope: Scope
    token_sha256: Annotated[tuple[TokenHash, ...], Field(max_length=TOKENS_VALID_MAX, repr=False)] = ()


_ROWS: Final = TypeAdapter(tuple[Operator, ...])


class Operators:
    """All operators of one operators file. Without a file nobody comes in."""

    def __init__(self, operators: Sequence[Operator] = ()) -> None:
        self._operators = tuple(operators)
        self._hashes = [(bytes.fromhex(text), one) for one in operators for text in one.token_sha256]

    @classmethod
    def load(cls, path: Path | None) -> Self:
        """Read the operators file; None lets nobody in.

        Raises:
            Misconfigured: naming the file and the field to mend.
        """
        if path is None:
            return cls()
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise Misconfigured(f"{path}: cannot be read ({error.strerror}); give the operators file.") from error
        except ValueError as error:
            raise Misconfigured(f"{path}: is not TOML in UTF-8 ({error}).") from error
        try:
            found = _ROWS.validate_python(content.get("operator", []))
        except ValidationError as error:
            told = error.errors(include_input=False, include_url=False)
            places = "; ".join(f"row {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in told)
            raise Misconfigured(f"{path}: {places}.") from None
        hashes = [text for one in found for text in one.token_sha256]
        if len({one.name for one in found}) < len(found) or len(set(hashes)) < len(hashes):
            raise Misconfigured(f"{path}: a name and a token stand once; mend the row that repeats one.")
        return cls(found)

    def by_token(self, token: str) -> Operator | None:
        """Find whose token this is; the time it takes tells nothing about how near a guess came."""
        presented = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found: Operator | None = None
        for known, operator in self._hashes:
            if hmac.compare_digest(known, presented):
                found = operator
        return found

    def __iter__(self) -> Iterator[Operator]:
        return iter(self._operators)
