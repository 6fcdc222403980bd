"""The glossary names identifiers that exist, each once, so that it can be trusted as the way into the code."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
GLOSSARY: Final = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")


def rows() -> list[list[str]]:
    """The rows of all tables, without their heads, as cells."""
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith(("---", "on paper"))]


def identifiers() -> list[str]:
    return [name for row in rows() for name in re.findall(r"`([a-z_]+)`", row[1]) if name != "certificate_form"]


def test_every_identifier_stands_in_the_code_of_the_product() -> None:
    files = [
        path for place in ("services", "shared") for path in (ROOT / place).rglob("*") if path.suffix in {".py", ".sql"}
    ]
    code = set(re.findall(r"[a-z_]+", "\n".join(path.read_text(encoding="utf-8") for path in files)))

    assert {name for name in identifiers() if name not in code} == set()


def test_every_term_and_every_identifier_has_one_row() -> None:
    terms = [row[0] for row in rows()]

    assert len(terms) == len(set(terms)) > 25
    assert len(identifiers()) == len(set(identifiers()))


def test_every_row_explains_its_term() -> None:
    assert [row for row in rows() if len(row) != 3 or not all(row)] == []
