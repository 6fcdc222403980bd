"""Runs the flyer's story alone, with a line for each step: `python -m tests.browser`."""

import sys
from pathlib import Path

import pytest

from deploy.local.install import CHROMIUM, install_for_tests
from deploy.local.screen import say


def main() -> int:
    """Zero if the story went well; a missing browser is a failure here, for the story is all that was asked for."""
    install_for_tests(say)
    if not CHROMIUM.exists():
        say(f"{CHROMIUM} is missing, and could not be installed here")
        return 1
    story = Path(__file__).with_name("test_story.py")
    return int(pytest.main(["-q", "-s", "--no-header", str(story)]))


if __name__ == "__main__":
    sys.exit(main())
