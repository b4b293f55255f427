"""A span for each stage of an order, to where OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says; without it none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

#: Milliseconds from a span's end to its export, at most.
EXPORT_MS = 200


class Spans:
    """The spans of one process, which continue the trace of a `traceparent`."""

    def __init__(self) -> None:
        self._tracer: Any = None
        if "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" in os.environ:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

            provider = TracerProvider()
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=EXPORT_MS))
            self._tracer = provider.get_tracer(__name__)

    @contextmanager
    def stage(self, name: str, *traceparents: str) -> Iterator[None]:
        """A stage of one order, or of several in one batch."""
        if self._tracer is None:
            yield
            return
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        contexts = [TraceContextTextMapPropagator().extract({"traceparent": each}) for each in traceparents if each]
        spans = [self._tracer.start_span(name, context) for context in contexts]
        try:
            yield
        finally:
            for span in spans:
                span.end()


def of(headers: Mapping[str, str]) -> str:
    """The traceparent of a request; "" if it has none."""
    return headers.get("traceparent", "")
