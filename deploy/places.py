"""Where things are: the checkout, what is committed in it, and what the runner makes."""

import hashlib
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
DEPLOY: Final = CHECKOUT / "deploy"
PORTALS_FILE: Final = DEPLOY / "portals.toml"
OPERATORS_FILE: Final = DEPLOY / "operators.toml"
OBLIGEES_FILE: Final = DEPLOY / "obligees.toml"
RUN: Final = CHECKOUT / ".run"
BUILD: Final = CHECKOUT / "build"

CHECKOUT_MARK: Final = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
"""Tells checkouts on one machine apart: in node names, container names and folders outside the checkout."""

ROOT_STATE: Final = Path("/var/lib/hosho")
"""Holds the data when root runs us: the servers then run as another user, who often cannot enter the checkout."""
