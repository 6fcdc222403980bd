"""ops: keeps the journal of every announcement and the desk of parked facts, and proves that nothing is missing.

Hears
    ops.journal: one record per relay batch of every service
    ops.parked: facts that no handler could take, and what the broker gave up on
Announces
    nothing but what its operators did, as every service does
On its clock
    nothing due; but every few seconds it looks at doors and queues, reconciles, and writes the journal's head down
Owns
    journal_entry, journal_batch, parked_fact, ledger_application, ledger_line, ledger_mail,
    ledger_tally, alarm
Outside
    the operator doors of all services: HTTP; the broker, asked how deep its queues are
"""

from functools import partial

from services.ops.domain import wire
from services.ops.edge.doors import Doors
from services.ops.edge.queues import Queues
from services.ops.handlers import hearing
from services.ops.handlers.measuring import set_gauges
from services.ops.handlers.reconciling import Reconciler
from services.ops.handlers.watching import Watch, lives
from services.ops.settings import Settings
from services.ops.store import desk
from services.ops.web import Means, build_web
from shared import topology
from shared.delivery import Hearing
from shared.operator_door.keys import Sealed
from shared.operator_door.operators import Operators
from shared.operator_door.store import SEALED
from shared.portals import Portals
from shared.service import Service

PREFETCH_JOURNAL = 32
JOURNAL_PATIENCE_S = 0.25
"""Nobody waits for the journal, and many small commits cost more than a few large ones."""

PREFETCH_PARKED = 32


def build_app() -> Service:
    """The service, its table of what it hears, what it looks at by itself, and its routes."""
    settings = Settings()
    doors = Doors(settings.doors, settings.door_token.get_secret_value())
    queues = Queues(settings.broker_url.get_secret_value())
    service = Service(
        name="ops",
        settings=settings,
        doors=(
            Hearing(
                queue=topology.JOURNAL_QUEUE,
                decode=wire.read_record,
                handle=hearing.note_records,
                park=hearing.keep_unread,
                prefetch=PREFETCH_JOURNAL,
                patience_s=JOURNAL_PATIENCE_S,
            ),
            Hearing(
                queue=topology.PARKED_QUEUE,
                decode=wire.read_parked,
                handle=hearing.lay_on_desk,
                park=hearing.keep_unread,
                prefetch=PREFETCH_PARKED,
            ),
        ),
        # Few statements, each for hundreds of entries, over tables that begin empty.
        plans_anew=True,
        sealed=Sealed((), lambda connection: desk.sealed(connection, SEALED)),
        on_start=(doors.open,),
        on_stop=(doors.close, queues.close),
    )
    portals = Portals.load(settings.portals_file)
    planned = topology.plan((portal.id, portal.answers == "queue") for portal in portals)
    watch = Watch(service, doors, queues, [queue.name for queue in planned.queues])
    reconciler = Reconciler(service, doors)
    service.lives = lives(service, watch, reconciler)
    service.gauges = partial(set_gauges, service, watch, reconciler)
    operators = Operators.load(settings.operators_file)
    service.web = build_web(Means(service, operators, doors, watch, reconciler))
    return service
