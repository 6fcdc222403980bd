"""Traces for whoever wants them: off without an endpoint, and then nothing of OpenTelemetry is even imported.

A batch of facts is one span, linked to the trace of each of its facts, for a batch belongs to many applications. A call
to the outside is a span of the application's own trace. What travels between services is the `traceparent` in facts.
Conventions: OpenTelemetry semantic conventions for messaging; W3C Trace Context.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from shared.health import version

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Link, Tracer

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
    facts = list(items)
    attributes: dict[str, str | int] = {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": "process",
        "messaging.operation.name": "settle",
        "messaging.destination.name": queue,
        "messaging.batch.message_count": len(facts),
    }
    with _tracer.start_as_current_span(
        f"settle {queue}", kind=_kind("CONSUMER"), links=_links(facts), attributes=attributes
    ):
        yield


@contextmanager
def call(errand: str, row: Traced, attempt: int) -> Iterator[None]:
    """The span of one call to the outside, in the trace of what it is made for."""
    if _tracer is None:
        yield
        return
    attributes: dict[str, str | int] = {"hosho.errand": errand, "hosho.attempt": attempt}
    with _tracer.start_as_current_span(
        f"call {errand}", context=_context(row.traceparent), kind=_kind("CLIENT"), attributes=attributes
    ):
        yield


def current() -> str | None:
    """The traceparent of the span we are in; None when traces are off."""
    if _tracer is None:
        return None
    from opentelemetry import trace  # noqa: PLC0415 - see `switch_on`.

    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _kind(name: str) -> Any:
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - see `switch_on`.

    return SpanKind[name]


def _context(traceparent: str | None) -> "Context | None":
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    return None if traceparent is None else TraceContextTextMapPropagator().extract({"traceparent": traceparent})


def _links(facts: list[object]) -> "list[Link]":
    from opentelemetry import trace  # noqa: PLC0415 - see `switch_on`.

    told = dict.fromkeys(told for fact in facts if isinstance(told := getattr(fact, "traceparent", None), str))
    contexts = (trace.get_current_span(_context(one)).get_span_context() for one in list(told)[:LINKS_MAX])
    return [trace.Link(context) for context in contexts if context.is_valid]
