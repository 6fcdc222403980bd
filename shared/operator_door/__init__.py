"""The operator door: what every service shows and lets be pressed, over HTTP, for the console and the command line.

Nobody reads another service's tables; whoever wants to know what waits, why, and until when asks here. `operators` is
who may come in, `routes` what there is to see and to press, `acts` how an act is recorded, `ledger` what a service
tells for the ledger.
"""

from shared.operator_door.acts import Act, record
from shared.operator_door.ledger import Ledger, Line
from shared.operator_door.operators import Operator, Operators, door_keeper

__all__ = ["Act", "Ledger", "Line", "Operator", "Operators", "door_keeper", "record"]
