"""`python -m deploy.healthy URL`: exit 0 if the URL answers 200, for a container's health check."""

import sys
import urllib.error
import urllib.request
from typing import Final

ANSWER_S_MAX: Final = 3


def healthy(url: str) -> bool:
    """Tell whether a program says that it is ready."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_S_MAX) as answer:  # noqa: S310 - the address of our own container.
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(sys.argv[1]) else 1)
