"""An AsyncAPI document that is being put together: its channels, operations, messages and schemas."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.contracts.messages import Published, example_event, example_headers, fact_of, of_audience
from deploy.contracts.schemas import Schema, Shelf
from shared.envelope import BATCH_CONTENT_TYPE, FACTS_HEADER, JSON_CONTENT_TYPE, LANE_HEADER
from shared.health import version
from shared.parcels import PACK_FACTS_MAX
from shared.topology import REPLAY_HEADER

Document = dict[str, Any]

SENT: Final = {"deliveryMode": 2, "mandatory": True}
"""Persistent, and returned if nobody hears it."""

TAKEN: Final = {"ack": True}

_BINDING: Final = "0.3.0"
_VHOST: Final = "hosho"
_TEXT: Final = {"type": "string"}
_TRACE: Final = {"type": "string", "description": "W3C Trace Context, version 00."}
_MESSAGE_ID: Final = (
    "Property `message_id`: any unique id, the same on a resend; an answer to what bears no readable id of its own has "
    "it as its `correlation_id`. At most 262,144 bytes; the broker closes the channel on more (406), and on a routing "
    "key of another portal (403): both are for the sender to mend, and no answer comes."
)
_ANSWER_PROPERTIES: Final = (
    "Properties: `message_id` is the fact's id, the same on a repeat; `correlation_id` is the application or change "
    "id, or, where none could be read, the `message_id` of what was sent."
)


def queue_binding(name: str) -> dict[str, Any]:
    """A channel that is a queue; nobody declares it but the deployment."""
    told = {"name": name, "durable": True, "exclusive": False, "autoDelete": False, "vhost": _VHOST}
    return {"amqp": {"is": "queue", "queue": told, "bindingVersion": _BINDING}}


def exchange(name: str, kind: str = "topic") -> dict[str, Any]:
    """A channel that is a routing key on an exchange."""
    told = {"name": name, "type": kind, "durable": True, "autoDelete": False, "vhost": _VHOST}
    return {"amqp": {"is": "routingKey", "exchange": told, "bindingVersion": _BINDING}}


@dataclass
class Draft:
    """One document, about one program."""

    title: str
    told: str
    shelf: Shelf = field(default_factory=Shelf)
    channels: dict[str, Any] = field(default_factory=dict)
    operations: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, Any] = field(default_factory=dict)

    def channel(self, name: str, address: str, messages: Sequence[str], **more: Any) -> None:
        """Add a channel on which these messages travel."""
        refs = {message: {"$ref": f"#/components/messages/{message}"} for message in messages}
        self.channels[name] = {"address": address, "messages": refs, **more}

    def operation(self, action: str, channel: str, summary: str, binding: dict[str, Any]) -> None:
        """Say that the program sends or receives on a channel."""
        self.operations[f"{action}_{channel}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "summary": summary,
            "messages": [
                {"$ref": f"#/channels/{channel}/messages/{name}"} for name in self.channels[channel]["messages"]
            ],
            "bindings": {"amqp": {**binding, "bindingVersion": _BINDING}},
        }

    def sent(self, name: str) -> str:
        """What a portal sends: its body is the form itself."""
        one = of_audience("to_hosho", name)
        return self._put(one, one.schema, None, {"payload": one.example}, _MESSAGE_ID)

    def single(self, message_type: str) -> str:
        """A fact from outside, alone; binary-mode headers are read where there are some."""
        one = of_audience("to_hosho", message_type)
        return self._put(one, one.schema, _binary_headers(()), {"payload": one.example})

    def answer(self, message_type: str) -> str:
        """A fact as its portal gets it: CloudEvents binary mode."""
        one, headers = of_audience("to_portals", message_type), example_headers(fact_of(message_type))
        required = [name for name in headers if name.startswith("cloudEvents_")]
        example = {"headers": headers, "payload": one.example}
        return self._put(one, one.schema, _binary_headers(required), example, _ANSWER_PROPERTIES)

    def pack(self, message_type: str) -> str:
        """Facts of one type as services tell them to each other."""
        one = of_audience("inside", message_type)
        data = self.shelf.put(one.schema["title"], one.schema)
        headers = {FACTS_HEADER: 1, LANE_HEADER: ""}
        example = {"headers": headers, "payload": [example_event(fact_of(message_type))]}
        told = "A pack: facts of one type. A fact, not a pack, is decided, recognised by its id, and parked."
        return self._put(one, _pack_of(one.name, data), _pack_headers(), example, told, BATCH_CONTENT_TYPE)

    def replayed(self) -> str:
        """A parked fact sent again by the desk."""
        one, event = of_audience("inside", "parking.fact_parked.v1"), example_event(fact_of(_REPLAYED))
        headers = {
            "type": "object",
            "required": [REPLAY_HEADER],
            "properties": {REPLAY_HEADER: {"type": "integer", "minimum": 1}},
        }
        example = {"headers": {REPLAY_HEADER: 1}, "payload": [event]}
        told = "A pack of one. The header counts only from the broker user `ops`."
        payload = _pack_of("a parked fact", {"type": "object"}, any_type=True)
        return self._put(one, payload, headers, example, told, name="parking.fact_replayed.v1")

    def plain(self, message_type: str) -> str:
        """A message that is its body: a journal record, a parked fact."""
        one = of_audience("inside", message_type)
        return self._put(one, one.schema, None, {"payload": one.example})

    def done(self) -> Document:
        """The whole document."""
        return {
            "asyncapi": "3.0.0",
            "info": {"title": f"Hosho: {self.title}", "version": version(), "description": self.told},
            "defaultContentType": JSON_CONTENT_TYPE,
            "servers": {
                "broker": {
                    "host": "broker.hosho.example:5671",
                    "pathname": f"/{_VHOST}",
                    "protocol": "amqps",
                    "protocolVersion": "0.9.1",
                    "description": "RabbitMQ. Each program has a user of its own name, with the least rights.",
                    "security": [{"$ref": "#/components/securitySchemes/user"}],
                }
            },
            "channels": self.channels,
            "operations": self.operations,
            "components": {
                "messages": self.messages,
                "schemas": self.shelf.schemas,
                "securitySchemes": {"user": {"type": "userPassword", "description": "The program's broker user."}},
            },
        }

    def _put(
        self,
        one: Published,
        payload: Schema,
        headers: Schema | None,
        example: dict[str, Any],
        told: str = "",
        content_type: str = JSON_CONTENT_TYPE,
        *,
        name: str | None = None,
    ) -> str:
        called = name or one.name
        described = str(one.schema.get("description", "")).replace("\n", " ")
        message: dict[str, Any] = {
            "name": called,
            "title": one.schema["title"],
            "description": " ".join(filter(None, (described, told))),
            "contentType": content_type,
            "payload": self.shelf.put(payload["title"], payload),
            "bindings": {"amqp": {"messageType": called, "bindingVersion": _BINDING}},
            "examples": [example],
        }
        self.messages[called] = message if headers is None else {**message, "headers": headers}
        return called


_REPLAYED: Final = "issuer.certificate_created.v1"
"""The fact in the example of a replay."""


def _pack_of(message_type: str, data: Schema, *, any_type: bool = False) -> Schema:
    event = {
        "type": "object",
        "description": "A CloudEvent 1.0 in structured mode.",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "format": "uuid", "description": "The same whenever this occasion is told again."},
            "source": {"type": "string", "examples": ["/hosho/issuer"]},
            "type": _TEXT if any_type else {"const": message_type},
            "subject": _TEXT,
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": JSON_CONTENT_TYPE},
            "correlation": {"type": "string", "description": "The application: portal, slash, id."},
            "traceparent": _TRACE,
            "data": data,
        },
    }
    title = f"Pack of {message_type}"
    return {
        "title": "".join(letter if letter.isalnum() or letter in "._" else "_" for letter in title),
        "type": "array",
        "minItems": 1,
        "maxItems": PACK_FACTS_MAX,
        "items": event,
    }


def _pack_headers() -> Schema:
    return {
        "type": "object",
        "properties": {
            FACTS_HEADER: {"type": "integer", "minimum": 1, "description": "How many facts the pack holds."},
            LANE_HEADER: {"type": "string", "description": "Whose facts they are; empty where several share it."},
        },
    }


def _binary_headers(required: Sequence[str]) -> Schema:
    texts = {f"cloudEvents_{name}": _TEXT for name in ("id", "source", "type", "subject")}
    properties = {
        "cloudEvents_specversion": {"const": "1.0"},
        **texts,
        "cloudEvents_time": {"type": "string", "format": "date-time"},
        "traceparent": _TRACE,
    }
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema
