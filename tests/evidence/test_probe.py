"""What the probe records of the queue is current, or unknown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shaketable.clock import SECOND
from shaketable.evidence import counters
from shaketable.evidence.probe import Probe
from shaketable.op import Kind, Op
from shaketable.target.metrics_table import MetricsTable

TARGET = cast(Any, SimpleNamespace(intake_health_url=None, instances={}, manifest=SimpleNamespace(metrics=None)))


class Hanging:
    """The queue of each reading is one longer; stored rows are read once, and then hang until they are let go."""

    def __init__(self) -> None:
        self.length, self.hangs, self.let_go = 0, threading.Event(), threading.Event()

    def queue(self, oldest_s: float) -> int:
        self.length += 1
        return self.length

    def stored(self) -> int:
        if self.length > 1:
            self.hangs.set()
            self.let_go.wait()
        return 7


class Hands:
    """A clock that is moved by hand."""

    at = 100 * SECOND

    def now(self) -> int:
        return self.at


@pytest.mark.parametrize(("later_s", "queue"), [(0.5, 2), (1.5, None)])
def test_queue_is_known_at_once_and_not_for_longer_than_it_is_current(later_s: float, queue: int | None) -> None:
    backlog, clock, ops = Hanging(), Hands(), list[Op]()
    probe = Probe(TARGET, cast(Any, backlog), ops.append, cast(Any, clock))
    probe._look_at_backlog()
    probe._look_at_health()
    reading = threading.Thread(target=probe._look_at_backlog)
    reading.start()
    assert backlog.hangs.wait(30)
    clock.at += int(later_s * SECOND)
    probe._look_at_health()
    backlog.let_go.set()
    reading.join()
    assert [(op.detail["queue"], op.detail["stored"]) for op in ops] == [(1, 7), (queue, 7)]


EXPOSITION = b"""# HELP accepted_total Events
# TYPE accepted_total counter
accepted_total 12.0
stored_total{lane="0"} 3.0
stored_total{lane="1"} 4e+00 1700000000
stored_total_other 9
duplicates_total NaN?
"""


@contextmanager
def serving(text: bytes) -> Iterator[int]:
    """The port of a server that answers each request with this text."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def test_counters_are_read_by_name_and_summed_over_their_labels() -> None:
    series = {"accepted": "accepted_total", "stored": "stored_total", "duplicates": "missing_total"}
    assert counters.parsed(EXPOSITION.decode(), series) == {"accepted": 12.0, "stored": 7.0}
    assert counters.parsed("accepted_total 1.2.3\n", series) == {}


def test_probe_records_the_counters_of_each_process_that_answers() -> None:
    with serving(EXPOSITION) as port:
        kinds = {"ingest": "/health", "silent": "/health", "mute": None}
        ports = {"ingest": port, "silent": 1, "mute": port}  # nothing listens on port 1
        instances = {
            name: SimpleNamespace(name=name, kind=SimpleNamespace(health=kinds[name]), port=ports[name], incarnation=2)
            for name in kinds
        }
        table = MetricsTable(accepted="accepted_total", stored="stored_total")
        target = cast(Any, SimpleNamespace(instances=instances, manifest=SimpleNamespace(metrics=table)))
        ops = list[Op]()
        Probe(target, cast(Any, Hanging()), ops.append)._look_at_counters()
    assert [(op.process, op.kind, op.detail) for op in ops] == [
        ("ingest", Kind.COUNTERS, {"incarnation": "2", "accepted": 12.0, "stored": 7.0})
    ]
