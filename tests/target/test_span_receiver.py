"""Spans as the SDK of OpenTelemetry exports them; the last stage of each trace is held."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shaketable.clock import SECOND
from shaketable.event.ids import trace_of
from shaketable.load import headers
from shaketable.target.span_receiver import SpanReceiver

EVENT = "0B8F9A52-6c1e-4c59-9a37-3f4d2e9c1a77"


@pytest.fixture
def receiver() -> Iterator[SpanReceiver]:
    with SpanReceiver(0) as found:
        yield found


def export(receiver: SpanReceiver, process: str, spans: dict[str, int], event_id: str = EVENT) -> None:
    """Spans by name, each with the second of its end, in the trace that the load began."""
    provider = TracerProvider(resource=Resource({"service.name": process}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(receiver.url)))
    context = TraceContextTextMapPropagator().extract(headers.traced(event_id))
    for name, ended in spans.items():
        span = provider.get_tracer("test").start_span(name, context, start_time=0, attributes={"secret": "content"})
        span.end(ended * SECOND)
    provider.shutdown()


def test_last_stage_of_each_trace_is_the_one_that_ended_last_in_any_process(receiver: SpanReceiver) -> None:
    export(receiver, "worker-1", {"store": 7, "take": 3})
    export(receiver, "intake", {"accept": 5})
    export(receiver, "intake", {"accept": 6}, "ORD-17")
    assert receiver.lines() == [
        {"trace": EVENT.lower().replace("-", ""), "stage": "worker-1: store", "ended_at": 7_000_000},
        {"trace": trace_of("ORD-17"), "stage": "intake: accept", "ended_at": 6_000_000},
    ]


@pytest.mark.parametrize("body", [b"{}", b"\xff\xff\xff"])
def test_body_that_is_no_protobuf_is_refused_and_the_receiver_goes_on(receiver: SpanReceiver, body: bytes) -> None:
    assert httpx.post(receiver.url, content=body).status_code == 400
    assert httpx.post(receiver.url, content=b"").status_code == 204
    assert receiver.lines() == []
