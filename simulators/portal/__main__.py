"""Runs the portal simulator: `python -m simulators.portal`."""

from simulators.portal.app import start
from simulators.program import run

if __name__ == "__main__":
    run("portal", start)
