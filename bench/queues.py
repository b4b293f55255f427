"""The same work through other queues: `python -m bench.queues [NAME…] [--events 10000] [--rounds 3] [--json FILE]`.

Each target gets the same events on fresh servers with the same settings, one target after another in every round:

1. end to end: from the first request to the last commit, while intake and workers share the machine;
2. intake: accepted events a second, while no worker runs: a backlog of at least as many events;
3. drain: that backlog, from the commit of its first tenth to that of its ninth.

The figures are medians over the rounds. A ratio compares a target with the reference in the same round.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

import msgspec
from rich.console import Console
from rich.table import Table

from bench.stage import say
from bench.target_stage import TargetStage, target_stage

REFERENCE = "reference"
#: How each of them works, beyond the number of its processes; in its manifest and its `hardened` file.
SETTINGS = {
    REFERENCE: "5 lanes, up to 1,000 events a transaction; leaves the stream after COMMIT",
    "bullmq-hardened": "20 jobs at a time, a transaction each; completed after COMMIT",
    "taskiq-hardened": "10 connections for up to 100 tasks, a transaction each; XACK after COMMIT",
    "dramatiq-hardened": "8 threads, a transaction each; acknowledged after COMMIT",
    "procrastinate-hardened": "queue in PostgreSQL; 5 jobs at a time, a transaction each; finished after COMMIT",
}
#: The backlog: as many events as pass end to end in so many seconds, so that it takes even a fast target many batches.
BACKLOG_S = 30
#: Events before anything is measured: connections open, caches fill.
WARM = 500


class Part(msgspec.Struct, frozen=True):
    """One of the three parts: events a second, and CPU milliseconds an event of all processes and servers."""

    per_second: float
    cpu_ms: float


class Round(msgspec.Struct, frozen=True):
    """One target in one round."""

    target: str
    end_to_end: Part
    intake: Part
    drain: Part


PARTS: dict[str, Callable[[Round], Part]] = {
    "end to end": lambda one: one.end_to_end,
    "intake": lambda one: one.intake,
    "drain": lambda one: one.drain,
}


class Queues(msgspec.Struct):
    """All rounds, and the settings by which they were measured."""

    machine: str
    events: int
    servers: dict[str, dict[str, str]]
    processes: dict[str, str]
    rounds: list[Round]


def end_to_end(stage: TargetStage, events: int, already: int) -> Part:
    """Send events while the workers store them."""
    cpu = stage.cpu_s()
    began = stage.load(events, salt=2)["began"]
    stage.await_stored(already + events)
    spent = stage.cpu_s() - cpu
    return Part(events / (stage.commits(began)[-1] - began), spent / events * 1000)


def intake(stage: TargetStage, events: int) -> Part:
    """Send events that stay in the queue."""
    cpu = stage.cpu_s()
    told = stage.load(events, salt=3)
    return Part(events / told["seconds"], (stage.cpu_s() - cpu) / events * 1000)


def drain(stage: TargetStage, events: int, already: int) -> Part:
    """Store these events. Measured from the first tenth to the ninth, without the start of the workers.

    In the middle, as many events are in flight at the beginning as at the end.
    """
    stage.start_workers()
    first = stage.await_stored(already + events // 10)
    cpu = stage.cpu_s()
    last = stage.await_stored(already + events * 9 // 10)
    spent = stage.cpu_s() - cpu
    stage.await_stored(already + events)
    return Part(in_the_middle(stage.commits(0)[-events:]), spent / seen(first, last, events) * 1000)


def seen(first: int, last: int, events: int) -> int:
    """The events between two looks at the count of rows. Exits if they are too few to say what an event costs."""
    if last - first < events // 2:
        raise SystemExit("bench: the backlog was stored faster than its rows were counted: send more --events")
    return last - first


def in_the_middle(commits: Sequence[float]) -> float:
    """Rows a second from the commit of the first tenth, whose rows do not count, to the commit of the ninth."""
    began, ended = commits[len(commits) // 10], commits[len(commits) * 9 // 10]
    if ended <= began:
        raise SystemExit("bench: one commit stored most of the backlog: send more --events")
    return sum(began < at <= ended for at in commits) / (ended - began)


def play(stage: TargetStage, name: str, events: int) -> Round:
    """The three parts on one stage."""
    stage.load(WARM, salt=1)
    already = stage.await_stored(WARM)
    through = end_to_end(stage, events, already)
    stage.stop_workers()
    backlog = max(events, int(BACKLOG_S * through.per_second))
    accepted = intake(stage, backlog)
    drained = drain(stage, backlog, already + events)
    stage.check_stored_once()
    return Round(name, through, accepted, drained)


def measure(names: Sequence[str], events: int, rounds: int) -> Iterator[Queues]:
    """All rounds, after each target the state so far. Each round begins with another target: none is always first."""
    told = Queues(f"{platform.machine()}, {os.cpu_count()} cores", events, {}, {}, [])
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            with target_stage(name) as stage:
                told.servers |= stage.servers()
                told.processes[name] = stage.processes
                told.rounds.append(found := play(stage, name, events))
            rates = ", ".join(f"{part} {take(found).per_second:,.0f}/s" for part, take in PARTS.items())
            say(f"round {number + 1}, {name}: {rates}")
            yield told


def ratio(rounds: Iterable[Round], name: str, figure: Callable[[Round], float]) -> float | None:
    """The median of a target's figures ÷ the reference's in the same round; None without the reference."""
    of = {each: [figure(one) for one in rounds if one.target == each] for each in (name, REFERENCE)}
    pairs = list(zip(of[name], of[REFERENCE], strict=False))
    return median(mine / reference for mine, reference in pairs) if pairs else None


def rows(told: Queues) -> list[list[str]]:
    """Part, target, and the medians of its rate and of its CPU ms an event, each with its ratio to the reference."""
    return [[part, name, *_cells(told, name, take)] for part, take in PARTS.items() for name in told.processes]


def _cells(told: Queues, name: str, take: Callable[[Round], Part]) -> Iterator[str]:
    mine = [take(one) for one in told.rounds if one.target == name]
    yield f"{median(part.per_second for part in mine):,.0f}"
    yield _ratio(told, name, lambda one: take(one).per_second)
    yield f"{median(part.cpu_ms for part in mine):.2f}"
    yield _ratio(told, name, lambda one: take(one).cpu_ms)


def _ratio(told: Queues, name: str, figure: Callable[[Round], float]) -> str:
    return "–" if (found := ratio(told.rounds, name, figure)) is None else f"{found:.2f}"


def show(told: Queues) -> None:
    """The figures, then the settings."""
    console = Console(width=None if os.isatty(1) else 140)
    title = f"{told.machine}; {told.events:,} events, rounds: {len(told.rounds) // len(told.processes)}"
    figures = Table("part", "target", "events/s", "÷ reference", "CPU ms an event", "÷ reference", title=title)
    for row in rows(told):
        figures.add_row(*row)
    console.print(figures)
    how = Table("target", "processes", "settings")
    for name, processes in told.processes.items():
        how.add_row(name, processes, SETTINGS.get(name, "see its manifest"))
    console.print(how)
    for service, settings in told.servers.items():
        console.print(f"{service}: {', '.join(f'{key} {value}' for key, value in settings.items())}")


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser("python -m bench.queues", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(SETTINGS), help="targets (the hardened ones)")
    parser.add_argument("--events", type=int, default=10_000, help="end to end, and at least as backlog (10,000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    for told in measure(given.names, given.events, given.rounds):
        if given.json:  # each time: an interruption takes only the target that is measured
            given.json.parent.mkdir(parents=True, exist_ok=True)
            given.json.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    show(told)


if __name__ == "__main__":
    main()
