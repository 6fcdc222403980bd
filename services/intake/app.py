"""intake: an application arrives, is judged, becomes ours or is refused with every reason at once.

Hears
    application.submitted: from each portal's own queue, answered with acceptance, rejection or conflict
    change.requested: from the same queue, answered with acceptance or rejection
Announces
    intake.application_accepted.v1
    intake.application_rejected.v1
    intake.application_conflicted.v1
    intake.change_accepted.v1
    intake.change_rejected.v1
On its clock
    prune_refused: refusals older than 400 days are forgotten, in batches
Owns
    submission, change_submission
Outside
    nothing
"""

from functools import partial
from typing import Final

from services.intake import handlers, store
from services.intake.settings import Settings, read_obligees
from services.intake.web import build_web
from shared import topology
from shared.delivery import Hearing
from shared.messages.intake import (
    ApplicationAccepted,
    ApplicationConflicted,
    ApplicationRejected,
    ChangeAccepted,
    ChangeRejected,
)
from shared.operator_door.ledger import Ledger
from shared.portals import Portals
from shared.service import Service
from shared.turnstile import Turnstile

DOOR_PREFETCH: Final = 200
"""Messages of one portal that this process holds at most: with the largest bodies, 50 MiB."""


def build_app() -> Service:
    """The service, its table of what it hears (one queue per portal) and its routes."""
    settings = Settings()
    portals = Portals.load(settings.portals_file)
    registry = read_obligees(settings.obligees_file)
    service = Service(
        name="intake",
        settings=settings,
        answered=lambda portal: portals.get(portal).answers == "queue",
        ledger=Ledger(store.accepted_counts, store.accepted_lines),
        announces=(ApplicationAccepted, ApplicationRejected, ApplicationConflicted, ChangeAccepted, ChangeRejected),
        prunes=(store.prune_refused,),
    )
    turnstile = Turnstile(lambda: service.is_overloaded())
    service.doors = tuple(
        Hearing(
            queue=topology.door_queue(portal.id),
            decode=partial(handlers.read_delivery, portal.id),
            handle=partial(handlers.answer_all, registry),
            park=handlers.give_up,
            remembers=False,
            locks=False,
            prefetch=DOOR_PREFETCH,
            admits=turnstile.admit,
        )
        for portal in portals
    )
    take_in = partial(handlers.answer_one, registry, service.unit_of_work)
    service.web = build_web(service, portals, registry, take_in, turnstile.has_room)
    return service
