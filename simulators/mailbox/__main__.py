"""Runs the mailbox simulator: `python -m simulators.mailbox`."""

from simulators.mailbox.app import start
from simulators.program import run

if __name__ == "__main__":
    run("mailbox", start)
