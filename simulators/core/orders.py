"""The office's desk: paper orders as they are heard, a repeated event kept once."""

from collections.abc import Sequence
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from simulators import clock, wire

ORDERS_MAX = 100_000


class PaperDesk:
    """Keeps paper orders in memory, the oldest making room when there are too many."""

    def __init__(self) -> None:
        self._orders: dict[str, dict[str, Any]] = {}
        self.unreadable = 0

    async def take(self, messages: Sequence[AbstractIncomingMessage]) -> None:
        """Takes what the queue gave; a pack holds several orders."""
        for message in messages:
            try:
                events = wire.read_events(message.body, message.content_type, message.headers)
            except ValueError:
                self.unreadable += 1
                continue
            for event in events:
                self._keep(event, message.message_id)

    def orders(self, portal: str | None = None, application_id: str | None = None) -> list[dict[str, Any]]:
        """The orders in the order heard, of one application or of all."""
        return [
            order
            for order in self._orders.values()
            if portal in (None, _of(order, "portal")) and application_id in (None, _of(order, "application_id"))
        ]

    def _keep(self, event: wire.Event, message_id: str | None) -> None:
        identity = event.id or message_id or clock.new_id()
        known = self._orders.get(identity)
        if known is not None:
            known["copies"] += 1
            return
        if len(self._orders) == ORDERS_MAX:
            del self._orders[next(iter(self._orders))]
        self._orders[identity] = {
            "event_id": identity,
            "type": event.type,
            "subject": event.subject,
            "time": event.time,
            "order": event.data,
            "copies": 1,
        }


def _of(order: dict[str, Any], name: str) -> object:
    data = order["order"]
    return data.get(name) if isinstance(data, dict) else None
