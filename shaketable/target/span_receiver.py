"""The harness's receiver of spans: of each trace it holds the stage that ended last.

A target exports its spans over OTLP/HTTP in protobuf, as the SDKs of OpenTelemetry do by default
(https://opentelemetry.io/docs/specs/otlp/#otlphttp). Attributes are not read, so that no content of an event gets into
a run.
"""

from __future__ import annotations

from typing import Any

from shaketable.errors import ManifestError
from shaketable.target.body_server import BodyServer, UnreadableBody

#: The path that OTLP/HTTP names for spans.
PATH = "/v1/traces"
#: The most traces: a target may have others than those of its events, without end.
MOST_TRACES = 5_000_000
#: The most characters of a stage.
MOST_NAME = 120


class SpanReceiver(BodyServer):
    """A server on loopback. Use as a context manager. Raises ManifestError without the extra `traces`."""

    def __init__(self, port: int) -> None:
        self._parse = _parser()
        self._last: dict[bytes, tuple[int, str]] = {}  # by trace id: when its last span ended, and its stage
        super().__init__(port, PATH)
        self.url = f"http://{self.address}{PATH}"

    def record(self, body: bytes) -> None:
        """Take the spans of a request. Raises UnreadableBody for a body that holds none."""
        try:
            asked = self._parse(body)
        except Exception as e:  # protobuf's DecodeError, whose module is of the extra
            raise UnreadableBody from e
        with self._lock:
            for of_resource in asked.resource_spans:
                process = _process(of_resource.resource)
                for scope in of_resource.scope_spans:
                    for span in scope.spans:
                        self._take(span.trace_id, span.end_time_unix_nano, f"{process}{span.name}"[:MOST_NAME])

    def _take(self, trace: bytes, ended: int, stage: str) -> None:
        known = self._last.get(trace)
        if known is None and len(self._last) >= MOST_TRACES:
            return
        if known is None or ended >= known[0]:
            self._last[trace] = ended, stage

    def lines(self) -> list[dict[str, Any]]:
        """By trace: its id in hexadecimal, the last stage, and when that ended, in µs since the epoch."""
        with self._lock:
            return [
                {"trace": trace.hex(), "stage": stage, "ended_at": ended // 1000}
                for trace, (ended, stage) in self._last.items()
            ]


def _process(resource: Any) -> str:
    """`worker-1: `, from `service.name`; "" without one."""
    name = next((each.value.string_value for each in resource.attributes if each.key == "service.name"), "")
    return f"{name}: " if name else ""


def _parser() -> Any:
    try:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError as e:
        raise ManifestError("[traces] needs the extra `traces`: pip install 'shaketable[traces]'") from e
    return ExportTraceServiceRequest.FromString
