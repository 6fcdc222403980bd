"""ops: keeps the journal of every announcement and the desk of parked facts.

Hears
    ops.journal: one record per relay batch of every service
    ops.parked: facts that no handler could take, and what the broker gave up on
Announces
    nothing
On its clock
    nothing
Owns
    journal_entry, parked_fact
Outside
    nothing
"""

from services.ops import domain, handlers
from services.ops.settings import Settings
from shared import topology
from shared.delivery import Hearing
from shared.service import Service

PREFETCH_JOURNAL = 16
PREFETCH_PARKED = 32


def build_app() -> Service:
    """The service and its table of what it hears."""
    return Service(
        name="ops",
        settings=Settings(),
        doors=(
            Hearing(
                queue=topology.JOURNAL_QUEUE,
                decode=domain.read_record,
                handle=handlers.note_records,
                park=handlers.keep_unread,
                prefetch=PREFETCH_JOURNAL,
            ),
            Hearing(
                queue=topology.PARKED_QUEUE,
                decode=domain.read_parked,
                handle=handlers.lay_on_desk,
                park=handlers.keep_unread,
                prefetch=PREFETCH_PARKED,
            ),
        ),
    )
