"""AsyncAPI 3 of every program on the broker: what each service hears and announces, and the doors of the outside.

Operations are told from the side of the program that the document is about: in `portal`, `send` is what a portal
sends; in `intake`, `receive` is what intake hears.
"""

from typing import Final

from deploy.contracts.draft import SENT, TAKEN, Document, Draft, exchange, queue_binding
from deploy.contracts.messages import APPLICATION_SUBMITTED, CHANGE_REQUESTED, is_shown_to_portals
from deploy.contracts.services import described
from shared import parking, topology
from shared.parcels import JOURNAL_TYPE
from shared.portals import OFFICE
from shared.topology import SERVICES

_PORTAL: Final = "{portal}"
_PORTAL_PARAMETER: Final = {
    "portal": {"description": "The portal's id, `[a-z0-9-]{1,32}`; `office` is the guarantor's own office."}
}
_REST_PARAMETER: Final = {"queue": {"description": "The rest of the name of the queue whose fact is parked."}}
_QUEUE_PARAMETER: Final = {"queue": {"description": "The queue of the one hearer that parked the fact."}}

_TOLD: Final = {
    "intake": "Judges what portals send, and answers every message.",
    "issuer": "Makes guarantees, keys and certificates of accepted applications.",
    "platform_bridge": "Posts certificates to the platform and tells when they arrived.",
    "notifier": "Mails contractors that their electronic guarantee is issued.",
    "ops": "Keeps the journal of everything announced and the desk of what is parked.",
    "portal": "What an upstream portal may send and read.",
    "office": "What the guarantor's office may send and read: a portal called `office`, with orders for paper.",
    "core": "What the guarantor's core system may send.",
}


def asyncapi_documents() -> dict[str, Document]:
    """Every document, by the program it is about."""
    services = {name: _service(name) for name in SERVICES}
    return {**services, "portal": _portal("portal"), "office": _portal(OFFICE), "core": _core()}


def _service(name: str) -> Document:
    draft, service = Draft(name, _TOLD[name]), described()[name]
    if name == "intake":
        _hear_portals(draft)
    for row in service.hears:
        _hear(draft, name, row.message.TYPE)
    if name == topology.DESK:
        _hear_everything(draft)
    for message in service.announces:
        _announce(draft, message.TYPE)
    _tell_ops(draft, name)
    return draft.done()


def _hear_portals(draft: Draft) -> None:
    names = [draft.sent(name) for name in (APPLICATION_SUBMITTED, CHANGE_REQUESTED)]
    address = topology.door_queue(_PORTAL)
    draft.channel("sent_by_portals", address, names, parameters=_PORTAL_PARAMETER, bindings=queue_binding(address))
    draft.operation("receive", "sent_by_portals", "Applications and changes of one portal", TAKEN)


def _hear(draft: Draft, hearer: str, message_type: str) -> None:
    queue, noun = topology.queue_of(hearer, message_type), topology.noun_of(message_type)
    single = message_type in topology.CORE_HEARD
    name = draft.single(message_type) if single else draft.pack(message_type)
    draft.channel(f"heard_{noun}", queue, [name], bindings=queue_binding(queue))
    draft.operation("receive", f"heard_{noun}", f"Hear {message_type}", TAKEN)


def _hear_everything(draft: Draft) -> None:
    for channel, queue, name in (
        ("journal", topology.JOURNAL_QUEUE, draft.plain(JOURNAL_TYPE)),
        ("parked", topology.PARKED_QUEUE, draft.plain(parking.PARKED_TYPE)),
    ):
        draft.channel(channel, queue, [name], bindings=queue_binding(queue))
        draft.operation("receive", channel, f"Everything that is told to {queue}", TAKEN)
    name = draft.replayed()
    draft.channel("replayed", "{queue}", [name], parameters=_QUEUE_PARAMETER, bindings=exchange("", "default"))
    draft.operation("send", "replayed", "Send a parked fact again, to its one hearer and with its own id", SENT)


def _announce(draft: Draft, message_type: str) -> None:
    noun = topology.noun_of(message_type)
    if message_type in topology.HEARERS:
        name = draft.pack(message_type)
        draft.channel(noun, message_type, [name], bindings=exchange(topology.EVENTS))
        heard_by = ", ".join(topology.queues_of(message_type))
        draft.operation("send", noun, f"Announce {message_type}; heard in {heard_by}", SENT)
    if is_shown_to_portals(message_type):
        name, channel = draft.answer(message_type), f"{noun}_to_portal"
        address = topology.answer_key(_PORTAL, message_type)
        bindings = exchange(topology.PORTALS)
        draft.channel(channel, address, [name], parameters=_PORTAL_PARAMETER, bindings=bindings)
        draft.operation("send", channel, f"Tell {message_type} to the portal it came from, if it has a queue", SENT)


def _tell_ops(draft: Draft, service: str) -> None:
    name = draft.plain(JOURNAL_TYPE)
    draft.channel("journalled", topology.journal_key(service), [name], bindings=exchange(topology.EVENTS))
    draft.operation("send", "journalled", "Tell the journal what was announced", SENT)
    name = draft.plain(parking.PARKED_TYPE)
    draft.channel(
        "parked_here", f"{service}.{{queue}}", [name], parameters=_REST_PARAMETER, bindings=exchange(topology.PARKING)
    )
    draft.operation("send", "parked_here", "Lay on the desk what no handler could take", SENT)


def _portal(who: str) -> Document:
    draft = Draft(who, _TOLD[who])
    named = who if who == OFFICE else _PORTAL
    parameters = {} if named == who else {"parameters": _PORTAL_PARAMETER}
    for name in (APPLICATION_SUBMITTED, CHANGE_REQUESTED):
        message, channel = draft.sent(name), name.replace(".", "_")
        bindings = exchange(topology.APPLICATIONS)
        draft.channel(channel, f"{name}.{named}", [message], **parameters, bindings=bindings)
        draft.operation("send", channel, "Persistent, mandatory, with a publisher confirm", SENT)
    types = [kind.TYPE for service in described().values() for kind in service.announces]
    answers = [draft.answer(one) for one in types if is_shown_to_portals(one)]
    queue = topology.answer_queue(named)
    draft.channel("answers", queue, answers, **parameters, bindings=queue_binding(queue))
    draft.operation("receive", "answers", "Every answer at least once, in no promised order", TAKEN)
    for message_type, hearers in topology.HEARERS.items():
        if who in hearers:
            _hear(draft, who, message_type)
    return draft.done()


def _core() -> Document:
    draft = Draft("core", _TOLD["core"])
    for message_type in topology.CORE_HEARD:
        name, noun = draft.single(message_type), topology.noun_of(message_type)
        draft.channel(noun, message_type, [name], bindings=exchange(topology.CORE))
        draft.operation("send", noun, f"Say {message_type}", SENT)
    return draft.done()
