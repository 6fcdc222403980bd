"""Traces for whoever wants them: off without an endpoint, and then nothing of OpenTelemetry is even imported.

A batch of facts is one span, linked to the trace of each of its facts, for a batch belongs to many applications. A call
to the outside is a span of the application's own trace. What travels between services is the `traceparent` in facts.
Conventions: OpenTelemetry semantic conventions for messaging; W3C Trace Context.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared.health import version

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link, Span, SpanContext, Tracer

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")

LINKS_MAX = 128
"""What a span may hold by default; a batch of more traces is linked to the first of them."""

_tracer: "Tracer | None" = None
_provider: "TracerProvider | None" = None


class Traced(Protocol):
    """Something that may belong to a trace."""

    @property
    def traceparent(self) -> str | None:
        """Its trace, as W3C Trace Context writes it."""


def switch_on(service: str, endpoint: str, exporter: Any = None) -> None:
    """Send spans to an OTLP/HTTP endpoint from now on, in the background; a test gives an exporter of its own."""
    # Imported here, because they cost a tenth of a second that nobody should pay for traces nobody wants.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor  # noqa: PLC0415

    global _tracer, _provider  # noqa: PLW0603 - one process has one tracer, as it has one log.
    resource = Resource.create({"service.name": service, "service.namespace": "hosho", "service.version": version()})
    _provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    if exporter is None:
        _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    else:
        _provider.add_span_processor(SimpleSpanProcessor(exporter))
    _tracer = _provider.get_tracer("hosho", version())


def switch_off() -> None:
    """Send what is still in memory, and no more."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        provider.shutdown()


@contextmanager
def batch(queue: str, items: Iterable[object]) -> Iterator[None]:
    """The span of a batch that is processed together."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind, use_span  # noqa: PLC0415 - see `switch_on`.

    facts = list(items)
    attributes: dict[str, str | int] = {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "process",
        "messaging.operation.name": "settle",
        "messaging.destination.name": queue,
        "messaging.batch.message_count": len(facts),
    }
    span = _tracer.start_span(f"settle {queue}", kind=SpanKind.CONSUMER, links=_links(facts), attributes=attributes)
    with _ending(span), use_span(span, record_exception=False, set_status_on_exception=False):
        yield


@contextmanager
def call(errand: str, row: Traced, attempt: int) -> Iterator[None]:
    """The span of one call to the outside, in the trace of what it is made for."""
    if _tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - see `switch_on`.

    attributes: dict[str, str | int] = {"hosho.errand": errand, "hosho.attempt": attempt}
    # Nothing inside asks for the span it is in, so none is made the current one; that costs as much as the span.
    span = _tracer.start_span(
        f"call {errand}", context=_under(row.traceparent), kind=SpanKind.CLIENT, attributes=attributes
    )
    with _ending(span):
        yield


def begun(subject: str) -> str | None:
    """The traceparent of a new trace for something that came without one; None when traces are off.

    Its first span is linked to the batch we are in: a batch is many applications', and each has a trace of its own.
    """
    if _tracer is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - see `switch_on`.
    from opentelemetry.context import Context  # noqa: PLC0415

    batch = trace.get_current_span().get_span_context()
    links = [trace.Link(batch)] if batch.is_valid else []
    span = _tracer.start_span("take in", context=Context(), links=links, attributes={"hosho.subject": subject})
    span.end()
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


@contextmanager
def _ending(span: "Span") -> Iterator[None]:
    """End a span with its block. Of an error its kind is told; its words may hold what nobody may read."""
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - see `switch_on`.

    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(Status(StatusCode.ERROR))
        raise
    finally:
        span.end()


def _span_context(traceparent: str | None) -> "SpanContext | None":
    """What a traceparent names; None if it names nothing. OpenTelemetry's own reader takes four times as long."""
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415 - see `switch_on`.

    parts = _TRACEPARENT.fullmatch(traceparent or "")
    if parts is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in parts.groups())
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def _under(traceparent: str | None) -> "Context":
    from opentelemetry.context import Context  # noqa: PLC0415 - see `switch_on`.
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context  # noqa: PLC0415

    context = _span_context(traceparent)
    # An empty context, for without any the span we happen to be in would be taken for the parent.
    return Context() if context is None else set_span_in_context(NonRecordingSpan(context), Context())


def _links(facts: list[object]) -> "list[Link]":
    from opentelemetry.trace import Link  # noqa: PLC0415 - see `switch_on`.

    told = dict.fromkeys(told for fact in facts if isinstance(told := getattr(fact, "traceparent", None), str))
    contexts = (_span_context(one) for one in islice(told, LINKS_MAX))
    return [Link(context) for context in contexts if context is not None and context.is_valid]
