"""Traces are off until somebody names an endpoint; then the spans of an application hang together by traceparent."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import tracing
from tests.service.living import TRACE, traced

TRACE_ID = int(TRACE.split("-")[1], 16)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Traces that are switched on, and what they would send."""
    exporter = InMemorySpanExporter()
    tracing.switch_on("issuer", "http://127.0.0.1:9", exporter)
    yield exporter
    tracing.switch_off()


def test_without_an_endpoint_there_is_no_trace() -> None:
    with tracing.batch("q", [traced()]), tracing.call("e", traced(), 1):
        assert tracing.current() is None


def test_a_batch_is_one_span_linked_to_the_traces_of_its_facts(spans: InMemorySpanExporter) -> None:
    with tracing.batch("issuer.mail_sent", [traced(), traced(), replace(traced(), traceparent=None)]):
        told = tracing.current()
    (span,) = spans.get_finished_spans()

    assert [link.context.trace_id for link in span.links] == [TRACE_ID]
    assert dict(span.attributes or {})["messaging.batch.message_count"] == 3
    assert told is not None
    assert told.split("-")[1] == f"{span.context.trace_id:032x}"


def test_a_call_is_a_span_of_the_applications_own_trace(spans: InMemorySpanExporter) -> None:
    with tracing.call("post_certificate", traced(), 2):
        told = tracing.current()
    (span,) = spans.get_finished_spans()

    assert span.context.trace_id == TRACE_ID
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == TRACE.split("-")[2]
    assert told is not None
    assert told.split("-")[1] == TRACE.split("-")[1]


def test_a_traceparent_that_is_none_breaks_nothing(spans: InMemorySpanExporter) -> None:
    odd = replace(traced(), traceparent="00-not-a-trace")
    with tracing.batch("q", [odd]), tracing.call("e", odd, 1):
        assert tracing.current() is not None
    assert all(not span.links for span in spans.get_finished_spans())


def test_an_error_inside_is_seen_by_whoever_called(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="bad"), tracing.batch("q", [traced()]):
        raise ValueError("bad")

    assert len(spans.get_finished_spans()) == 1
