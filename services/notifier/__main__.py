"""Run the notifier: `python -m services.notifier`."""

from services.notifier.app import build_app
from shared.service import run

run(build_app)
