"""Run the issuer: `python -m services.issuer`."""

from services.issuer.app import build_app
from shared.service import run

run(build_app)
