"""A sink hears who knocks, counts it, and does not count the harness's own eyes."""

from __future__ import annotations

import threading

import psycopg
import pytest

from shaketable.faults import round_trip
from shaketable.faults.sink import Sink
from shaketable.op import Kind, Op
from shaketable.stack.stack import Address, Link

LINK = Link("worker-1", "postgres", Address("127.0.0.1", 1), Address("127.0.0.1", 2))


class Heard:
    """Collects ops, and lets a test wait for the next."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self._new = threading.Semaphore(0)

    def __call__(self, op: Op) -> None:
        self.ops.append(op)
        self._new.release()

    def wait(self) -> Op:
        assert self._new.acquire(timeout=30)
        return self.ops[-1]


def test_attempt_is_counted_with_the_name_it_gave() -> None:
    heard = Heard()
    with Sink(LINK, heard) as sink:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://u:p@{sink.address}/d?sslmode=disable&application_name=worker-1.3")
        op = heard.wait()
    assert op.kind is Kind.SINK
    assert op.detail == {"link": "worker-1-postgres", "process": "worker-1", "service": "postgres", "by": "worker-1.3"}


def test_own_exchange_is_not_counted() -> None:
    heard = Heard()
    with Sink(LINK, heard) as sink:
        host, port = sink.address.split(":")
        assert round_trip.round_trip_ms("postgres", Address(host, int(port))) is None
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://u:p@{sink.address}/d?sslmode=disable&application_name=after")
        assert heard.wait().detail["by"] == "after"
    assert len(heard.ops) == 1


def test_attempt_with_tls_is_counted_although_its_name_is_not_sent() -> None:
    heard = Heard()
    with Sink(LINK, heard) as sink:
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(f"postgresql://u:p@{sink.address}/d?sslmode=require")
        assert heard.wait().detail["by"] is None
