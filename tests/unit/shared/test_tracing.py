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
        assert tracing.begun("a") is None


def test_a_batch_is_one_span_linked_to_the_traces_of_its_facts(spans: InMemorySpanExporter) -> None:
    with tracing.batch("issuer.mail_sent", [traced(), traced(), replace(traced(), traceparent=None)]):
        pass
    (span,) = spans.get_finished_spans()

    assert [link.context.trace_id for link in span.links] == [TRACE_ID]
    assert [f"{link.context.span_id:016x}" for link in span.links] == [TRACE.split("-")[2]]
    assert dict(span.attributes or {})["messaging.batch.message_count"] == 3


def test_a_call_is_a_span_of_the_applications_own_trace(spans: InMemorySpanExporter) -> None:
    with tracing.call("post_certificate", traced(), 2):
        pass
    (span,) = spans.get_finished_spans()

    assert span.context.trace_id == TRACE_ID
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == TRACE.split("-")[2]


def test_what_came_without_a_trace_gets_one_of_its_own_though_many_share_a_batch(spans: InMemorySpanExporter) -> None:
    with tracing.batch("intake.application_submitted.portal-a", []):
        told = [tracing.begun("portal-a/A-1"), tracing.begun("portal-a/A-2")]
    first, second, batch = spans.get_finished_spans()

    assert [one.split("-")[1] for one in told if one] == [f"{span.context.trace_id:032x}" for span in (first, second)]
    assert len({span.context.trace_id for span in (first, second, batch)}) == 3
    assert [link.context.span_id for link in first.links] == [batch.context.span_id]


def test_the_trace_that_was_begun_is_gone_on_with(spans: InMemorySpanExporter) -> None:
    row = replace(traced(), traceparent=tracing.begun("portal-a/A-1"))
    with tracing.call("send_mail", row, 1):
        pass
    begun, call = spans.get_finished_spans()

    assert call.parent is not None
    assert call.parent.span_id == begun.context.span_id
    assert call.context.trace_id == begun.context.trace_id


@pytest.mark.parametrize(
    "odd", ["00-not-a-trace", f"ff{TRACE[2:]}", TRACE.upper(), "00-" + "0" * 32 + "-" + "0" * 16 + "-01", ""]
)
def test_a_traceparent_that_is_none_breaks_nothing(odd: str, spans: InMemorySpanExporter) -> None:
    with (
        tracing.batch("q", [replace(traced(), traceparent=odd)]),
        tracing.call("e", replace(traced(), traceparent=odd), 1),
    ):
        pass
    call, batch = spans.get_finished_spans()

    assert not batch.links
    assert call.parent is None


def test_an_error_inside_is_seen_by_whoever_called_and_told_by_its_kind_alone(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="a secret"), tracing.batch("q", [traced()]):
        raise ValueError("a secret")
    (span,) = spans.get_finished_spans()

    assert not span.status.is_ok
    assert dict(span.attributes or {})["error.type"] == "ValueError"
    assert "a secret" not in span.to_json()
