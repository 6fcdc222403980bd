"""Words to find an application by: pairs of neighbouring characters, which fits Japanese, that has no word breaks."""

import unicodedata
from typing import Final

QUERY_CHARACTERS_MAX: Final = 100
TEXT_CHARACTERS_MAX: Final = 200


def folded(text: str) -> str:
    """The text as it is compared: half and full width, upper and lower case, and blanks do not count."""
    plain = unicodedata.normalize("NFKC", text[:TEXT_CHARACTERS_MAX]).casefold()
    return "".join(character for character in plain if not character.isspace() and character.isprintable())


def grams(text: str) -> list[str]:
    """Each pair of neighbouring characters of a folded text once; of a single character, itself.

    Single characters are kept too, so that a query of one character finds something.
    """
    pairs = {text[at : at + 2] for at in range(len(text) - 1)}
    return sorted(pairs | set(text))


def wanted(query: str) -> list[str]:
    """The grams that whatever fits a folded query must have."""
    if len(query) < 2:
        return sorted(set(query))
    return sorted({query[at : at + 2] for at in range(len(query) - 1)})
