"""Looking through places: what was found where it may not be, and where the search was blind."""

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.canary.places import Piece, Place
from tests.faults.canary.spellings import Found, Search


@dataclass(slots=True)
class Hunt:
    """What a search came to.

    Attributes:
        searched: bytes by place.
        outside: keys where none may stand; allowed: keys where they must.
        blind: places that did not show what surely stands there, so that finding nothing there means nothing.
    """

    searched: dict[str, int] = field(default_factory=dict)
    outside: list[Found] = field(default_factory=list)
    allowed: list[Found] = field(default_factory=list)
    blind: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether no key was found outside the allowed places, and every place was really seen."""
        return not self.outside and not self.blind


def hunt(places: Iterable[Place], search: Search) -> Hunt:
    """Look through these places; a file that goes away meanwhile, as servers' files do, is passed over."""
    told = Hunt()
    for place in places:
        found, size, marked = _look(place, search)
        told.searched[place.name] = size
        (told.allowed if place.allowed else told.outside).extend(found)
        if (place.mark and not marked) or (place.allowed and not found):
            told.blind.append(place.name)
    return told


def _look(place: Place, search: Search) -> tuple[Sequence[Found], int, bool]:
    found: list[Found] = []
    size, marked = 0, False
    for piece in place.pieces:
        try:
            found += _found(piece, search)
            size += _size(piece)
            marked = marked or _is_marked(place, piece)
        except FileNotFoundError:
            continue
    return found, size, marked


def _found(piece: Piece, search: Search) -> list[Found]:
    name, data = piece
    return list(search.in_file(data) if isinstance(data, Path) else search.in_bytes(data, name))


def _size(piece: Piece) -> int:
    return piece[1].stat().st_size if isinstance(piece[1], Path) else len(piece[1])


def _is_marked(place: Place, piece: Piece) -> bool:
    if place.mark is None or not _size(piece):
        return False
    if not isinstance(piece[1], Path):
        return place.mark.search(piece[1]) is not None
    with piece[1].open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return place.mark.search(mapped) is not None
