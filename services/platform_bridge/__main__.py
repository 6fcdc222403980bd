"""Run the platform bridge: `python -m services.platform_bridge`."""

from services.platform_bridge.app import build_app
from shared.service import run

run(build_app)
