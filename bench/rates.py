"""The reference's rates: intake alone, end to end, and the drain of a backlog."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bench.ceiling import stamped
from bench.figure import Figure
from bench.meter import Meter
from bench.stage import LANES, Stage, say
from reference_impl.event import event
from reference_impl.queue import streams

WORKERS = ("worker-1", "worker-2")
#: Events sent before anything is measured.
WARM = 3000


def answers(stage: Stage, count: int) -> Figure:
    """Requests a second that the intake's server answers, with nothing else to do: the floor of its time."""
    port = stage.start("", "ingest", "bench.answer")
    stage.load(port, WARM, salt=1)
    meter = Meter(stage)
    told = stage.load(port, count, salt=2)
    figure = meter.figure("answers alone", count, told["seconds"], told)
    stage.stop("ingest")
    return figure


def intake(stage: Stage, count: int, lines: int) -> Figure:
    """Accepted events a second, one a request or many; nobody takes them from the queue."""
    port = stage.start("ingest", "ingest")
    stage.load(port, WARM, salt=1)
    meter = Meter(stage)
    told = stage.load(port, count, salt=2, lines=lines)
    figure = meter.figure(
        "intake, single" if lines == 1 else f"intake, batches of {lines}", count, told["seconds"], told
    )
    _check(told["accepted"] == count, f"{told['accepted']} of {count} were accepted")
    stage.stop("ingest")
    return figure


def end_to_end(stage: Stage, count: int) -> Figure:
    """From the first request to the last event's commit, one event a request, client included."""
    already, newest = stage.stored(), stage.newest()
    port = stage.start("ingest", "ingest")
    for name in WORKERS:
        stage.start("work", name)
    stage.await_lanes("ingest")
    stage.load(port, WARM, salt=1)
    stage.await_empty()
    meter = Meter(stage)
    told = stage.load(port, count, salt=2)
    stage.await_empty()
    last, _ = stage.commits(newest)[-1]
    figure = meter.figure("end to end", count, last - told["began"], told)
    _all_stored(stage, already + WARM + count)
    stage.stop("ingest", *WORKERS)
    return figure


def drain(stage: Stage, count: int) -> Figure:
    """Stored events a second while workers empty a backlog, by the times of their commits."""
    already, newest = stage.stored(), stage.newest()
    fill(stage, stamped(count, 3))
    for name in WORKERS:
        stage.start("work", name)
    stage.await_lanes(WORKERS[0])
    meter = Meter(stage)
    show(stage)
    stage.await_empty()
    figure = meter.figure("drain", count, count / after_the_first(stage.commits(newest)))
    _all_stored(stage, already + count)
    stage.stop(*WORKERS)
    return figure


def after_the_first(commits: list[tuple[float, int]]) -> float:
    """Rows a second from the first commit to the last; those of the first were there when its clock began."""
    (began, _), (ended, _) = commits[0], commits[-1]
    _check(ended > began, f"expected several commits, got {len(commits)}")
    return sum(rows for _, rows in commits[1:]) / (ended - began)


def fill(stage: Stage, events: Iterable[event.Stamped]) -> None:
    """Put a backlog beside the queue, as the intake would put it into the queue."""
    with stage.redis.pipeline(transaction=False) as pipe:
        for number, one in enumerate(events):
            event_id = one.event.event_id or ""
            lane = streams.lane_of(one.event.organization_id, event_id, LANES)
            fields = {"event_id": event_id, "event": msgspec.json.encode(one.event), "hash": one.hash}
            pipe.xadd(f"backlog:{lane}", fields)  # type: ignore[arg-type]
            if number % 2000 == 1999:
                pipe.execute()
        pipe.execute()


def show(stage: Stage) -> None:
    """All of the backlog at once becomes the queue."""
    with stage.redis.pipeline(transaction=True) as pipe:
        for lane in range(LANES):
            pipe.rename(f"backlog:{lane}", streams.key(lane))
        pipe.execute()


def _all_stored(stage: Stage, count: int) -> None:
    stored = stage.stored()
    _check(stored == count, f"expected {count} events, got {stored}")


def _check(holds: bool, why: str) -> None:
    if not holds:
        say(f"bench: {why}")
        raise SystemExit(1)
