"""The page of everything an answer can name: 手続状況, and the codes of problems and remarks."""

from collections.abc import Iterable, Iterator
from typing import Final

from services.intake.domain.catalogue import CATALOGUE as OF_INTAKE
from services.intake.domain.catalogue import REMARKS
from services.issuer.domain.catalogue import CATALOGUE as OF_ISSUER
from services.issuer.domain.states import STATUS_JA
from shared.inputs import INPUTS
from shared.refusals import REFUSALS

_HEAD: Final = """# Statuses, problems and remarks

Written by `make contracts`. Words in braces are filled in when a problem is told.
Branch on the code, show the sentence. Treat a code that is not here as its status or its message says.
"""
_OF_PORTALS: Final = ("intake", "issuer")


def catalogue_page() -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_statuses(), *_answers(), *_of_intake(), *_of_issuer()]) + "\n"


def _statuses() -> Iterator[str]:
    yield "## 手続状況 (`status`, `status_ja`)\n"
    yield from _table(("status", "status_ja"), ((f"`{status}`", told) for status, told in STATUS_JA.items()))


def _answers() -> Iterator[str]:
    yield "\n## The `code` at the top of an answer over HTTP that is no success (`answers` of `GET /v1/problems`)\n"
    yield "What in particular is wrong stands below it, in `errors`, by the codes of the lists that follow.\n"
    rows = (
        (str(meaning.status), f"`{code}`", meaning.only_at or "both", meaning.advice)
        for code, meaning in REFUSALS.items()
        if meaning.only_at in (None, *_OF_PORTALS)
    )
    yield from _table(("status", "code", "from", "what to do"), rows)


def _of_intake() -> Iterator[str]:
    yield "\n## Told by intake, when something is sent (`GET /v1/problems`)\n"
    yield "A remark only informs; everything else refuses what was sent.\n"
    rows = (
        (f"`{code}`", "remark" if code in REMARKS else "", said.ja, said.en, _places(said.pointers))
        for code, said in OF_INTAKE.items()
    )
    yield from _table(("code", "", "Japanese", "English", "where"), rows)


def _of_issuer() -> Iterator[str]:
    yield "\n## Told by the issuer, of a guarantee or a change of one (`GET /v1/problems` there)\n"
    rows = (
        *((f"`{code}`", said.ja, said.en) for code, said in OF_ISSUER.items()),
        *((f"`{code}`", said.ja, said.en) for code, said in INPUTS.items()),
    )
    yield from _table(("code", "Japanese", "English"), rows)


def _places(pointers: Iterable[str]) -> str:
    return " ".join(f"`{pointer}`" if pointer else "(the whole)" for pointer in pointers)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
