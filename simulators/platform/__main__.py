"""Runs the platform simulator: `python -m simulators.platform`."""

from simulators.platform.app import start
from simulators.program import run

if __name__ == "__main__":
    run("platform", start)
