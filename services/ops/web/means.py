"""What the routes and the pages of ops work with."""

from dataclasses import dataclass

from services.ops.edge.doors import Doors
from services.ops.handlers.reconciling import Reconciler
from services.ops.handlers.watching import Watch
from shared.operator_door.operators import Operators
from shared.service import Service


@dataclass(frozen=True, slots=True)
class Means:
    """What the routes work with."""

    service: Service
    operators: Operators
    doors: Doors
    watch: Watch
    reconciler: Reconciler
