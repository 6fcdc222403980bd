"""The broker made equal to the plan in `shared.topology`, over the management HTTP API, and compared with it."""

from deploy.broker.apply import apply
from deploy.broker.check import Difference, check
from deploy.broker.management import Management, Unreachable

__all__ = ["Difference", "Management", "Unreachable", "apply", "check"]
