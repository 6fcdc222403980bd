"""Papers that were printed lately, by what they show. Key notices never lie here."""

from collections import OrderedDict
from typing import Final

SHELF_BYTES_MAX: Final = 8 * 1024 * 1024
"""About a hundred certificates."""


class Shelf:
    """Keeps the papers asked for last, as many as fit."""

    def __init__(self, bytes_max: int = SHELF_BYTES_MAX) -> None:
        self._papers: OrderedDict[str, bytes] = OrderedDict()
        self._bytes_max = bytes_max
        self._bytes = 0

    def take(self, name: str) -> bytes | None:
        """The paper of this name, if it is still here."""
        paper = self._papers.get(name)
        if paper is not None:
            self._papers.move_to_end(name)
        return paper

    def put(self, name: str, paper: bytes) -> None:
        """Keep a paper; those nobody asked for the longest time make room."""
        self._bytes += len(paper) - len(self._papers.pop(name, b""))
        self._papers[name] = paper
        while self._bytes > self._bytes_max:
            _, gone = self._papers.popitem(last=False)
            self._bytes -= len(gone)
