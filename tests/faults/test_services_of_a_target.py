"""What a fault means for a target depends on the services that hold its queue and its events."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Literal, cast

import pytest

from shaketable.faults import (
    DiskFull,
    Down,
    Kill,
    KillClients,
    Latency,
    LockTable,
    OutOfMemory,
    PostgresCrash,
    ReadOnly,
    Restart,
    Silence,
    TerminateBackends,
    ValkeyCrash,
)
from shaketable.faults.fault import Fault, FaultContext
from shaketable.faults.injector import blocks_intake, blocks_store
from shaketable.faults.round_trip import PingResult
from shaketable.stack.probe import How
from shaketable.stack.stack import Address, Link

DEAD, ALIVE = PingResult("refused", 1), PingResult("answered", 1)
LINK = Link("intake", "nats", Address("127.0.0.1", 1), Address("127.0.0.1", 2))


def context(
    queue: str | None = None, store: str | None = "postgres", *, through: PingResult = DEAD, past: PingResult = ALIVE
) -> FaultContext:
    """As far as faults ask where a target keeps its events, and how its service answers."""
    names = {"intake", "worker-1", "nats"}
    links = SimpleNamespace(to=lambda *_: [LINK], ping=lambda _, by_link: through if by_link else past)
    processes = SimpleNamespace(intake="intake", named=lambda name=None: [name] if name in names else ["intake"])
    services = SimpleNamespace(queue=queue, store=store)
    return cast(FaultContext, SimpleNamespace(links=links, processes=processes, services=services))


@pytest.mark.parametrize(
    ("fault", "queue"),
    [
        (ValkeyCrash(), "redis"),
        (KillClients(), "redis"),
        (DiskFull("redis"), "redis"),
        (DiskFull("postgres"), "postgres"),
        (PostgresCrash(), "postgres"),
        (ReadOnly(), "postgres"),
        (TerminateBackends(), "postgres"),
        (Down("postgres"), "postgres"),
        (Latency("nats", 1000), "nats"),
        (Kill("nats"), "nats"),
    ],
    ids=lambda each: getattr(each, "label", each),
)
def test_intake_suffers_from_faults_of_the_service_that_holds_its_queue(fault: Fault, queue: str) -> None:
    assert blocks_intake(fault, context(queue))
    other = next(name for name in ("redis", "postgres") if name != queue)
    assert not blocks_intake(fault, context(other))


@pytest.mark.parametrize(
    ("fault", "store"),
    [
        (Down("outbound"), "outbound"),
        (Silence("nats"), "nats"),
        (Kill("nats"), "nats"),
        (Down("postgres"), "postgres"),
        (LockTable(), "postgres"),
        (ValkeyCrash(), "redis"),
        (OutOfMemory(), "redis"),
    ],
    ids=lambda each: getattr(each, "label", each),
)
def test_nothing_can_be_stored_while_the_store_is_cut_off(fault: Fault, store: str) -> None:
    assert blocks_store(fault, context(store=store))
    assert not blocks_store(fault, context(store="mysql"))
    assert not blocks_store(fault, context(store=None))


@pytest.mark.parametrize(
    "fault", [Down("nats", process="worker-1"), Silence("nats", direction="answers"), Kill("worker-1"), Restart("nats")]
)
def test_part_of_the_store_s_links_is_not_all_of_them(fault: Fault) -> None:
    assert not blocks_store(fault, context(store="nats"))


@pytest.mark.parametrize(
    ("how", "took_ms", "direction", "landed"),
    [
        ("silent", 2000, "both", True),
        ("closed", 1900, "both", True),  # NATS hangs up on a client that it has not heard for 2 s
        ("closed", 5, "both", False),
        ("closed", 5, "answers", True),
        ("refused", 1900, "both", False),
        ("answered", 1900, "both", False),
    ],
)
def test_silence_is_seen_though_the_service_hangs_up(
    how: How,
    took_ms: float,
    direction: Literal["both", "answers"],
    landed: bool,
) -> None:
    found = Silence("nats", direction=direction).witness(context(through=PingResult(how, took_ms)))
    assert found.landed is landed


@pytest.mark.parametrize("past", [PingResult("closed", 1), PingResult("answered", 1500), PingResult("open", 300)])
def test_silence_is_not_seen_where_the_service_does_not_answer_at_once(past: PingResult) -> None:
    assert not Silence("nats").witness(context(through=PingResult("closed", 1900), past=past)).landed
