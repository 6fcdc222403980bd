"""Run ops: `python -m services.ops`."""

from services.ops.app import build_app
from shared.service import run

run(build_app)
