"""The security page proves what it says: every sentence names a test, and every test named there exists."""

import ast
import math
import re
from functools import cache
from pathlib import Path
from typing import Final

from services.issuer.domain.names import AUTH_KEY_ALPHABET, AUTH_KEY_CHARACTERS

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED: Final = re.compile(r"`(tests/[a-z0-9_/]+\.py)(?:::(test_[a-z0-9_]+))?`")


def rows() -> list[list[str]]:
    """The rows of the tables whose last column names a test, as cells."""
    found: list[list[str]] = []
    proves = False
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells or set(line) <= {"|", "-"}:
            proves = proves and bool(cells)
        elif cells[-1] == "shown by":
            proves = True
        elif proves:
            found.append(cells)
    return found


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_named_test_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED.findall(PAGE)
        if not (ROOT / path).is_file() or (name and name not in _tests_in(path))
    ]

    assert not missing, "\n".join(missing)


def test_every_sentence_names_one_test() -> None:
    assert len(rows()) > 50
    for sentence, proof in rows():
        found = NAMED.fullmatch(proof)

        assert sentence
        assert found, f"{sentence!r} names no test: {proof}"
        assert found[2], f"{sentence!r} names a file and no test"


def test_no_sentence_is_said_twice() -> None:
    sentences = [sentence for sentence, _ in rows()]

    assert len(sentences) == len(set(sentences))


def test_every_way_in_says_what_is_left() -> None:
    ways = PAGE.partition("## Ways in")[2].partition("## What is not there yet")[0].split("\n### ")[1:]

    assert len(ways) >= 6
    assert [way.partition("\n")[0] for way in ways if "\nLeft: " not in way] == []


def test_the_arithmetic_of_the_key_is_that_of_the_code() -> None:
    letters, length = len(set(AUTH_KEY_ALPHABET)), AUTH_KEY_CHARACTERS
    keys = letters**length
    guesses = 1_000_000 * 10 * 365 * 86_400

    assert set(AUTH_KEY_ALPHABET) == {chr(code) for code in (*range(48, 58), *range(65, 91), *range(97, 123))}
    assert (letters, length) == (62, 12), "the page says twelve of 62"
    assert f"62¹² = {keys:,} ≈ 3.2 × 10²¹ keys, 12 × log₂ 62 ≈ {length * math.log2(letters):.2f} bits" in PAGE
    assert "3.2 × 10¹⁴ guesses: one chance in ten million" in PAGE
    assert f"{guesses:.1e}" == "3.2e+14"
    assert f"{guesses / keys:.0e}" == "1e-07"
    assert "for ten million guarantees 1.5 × 10⁻⁸" in PAGE
    assert f"{10_000_000**2 / 2 / keys:.1e}" == "1.5e-08"
