"""Runs the core simulator: `python -m simulators.core`."""

from simulators.core.app import start
from simulators.program import run

if __name__ == "__main__":
    run("core", start)
