"""The book that the parts of a literal history are written into: the lines of a run directory, file by file."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shaketable import rundir
from shaketable.clock import SECOND
from shaketable.op import Journal, Kind, Op
from shaketable.rundir import RunDir

#: T0 on both clocks, in seconds.
MONOTONIC, WALL = 1_000, 1_800_000_000
#: Seconds that a literal run lasts, unless a part says later.
END = 100
GOOD = {"timestamp": "2024-01-01T00:00:00Z", "action": "test", "status": "success"}


def ns(seconds: float) -> int:
    """Monotonic nanoseconds of a time in seconds after T0."""
    return MONOTONIC * SECOND + round(seconds * SECOND)


def us(seconds: float) -> int:
    """Wall microseconds of the same."""
    return WALL * 1_000_000 + round(seconds * 1_000_000)


@dataclass
class Book:
    """The lines of a run directory, file by file, as its parts put them there."""

    ops: dict[str, list[Op]] = field(default_factory=dict)
    lines: dict[str, list[Any]] = field(default_factory=dict)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    scenario: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def op(self, file: str, process: str, kind: Kind, at: float, until: float | None = None, /, **more: Any) -> None:
        outcome, event_id, attempt = (more.pop(name, None) for name in ("outcome", "event_id", "attempt"))
        ended = None if until is None else ns(until)
        self.ops.setdefault(file, []).append(Op(process, kind, ns(at), ended, outcome, event_id, attempt, more))

    def line(self, file: str, **line: Any) -> None:
        self.lines.setdefault(file, []).append(line)


JOURNAL = "journal-load-0.jsonl"
Part = Callable[[Book], None]


def written(book: Book, folder: Path) -> RunDir:
    folder.mkdir(parents=True, exist_ok=True)
    run = RunDir(folder)
    rundir.write_json(run / rundir.SCENARIO, {**book.scenario, "timeline": book.timeline})
    rundir.write_json(run / rundir.TARGET, book.target)
    for file, lines in book.lines.items():
        if file not in book.absent:
            rundir.write_lines(run / file, lines)
    for file in book.ops.keys() - book.absent:
        journal = Journal(run / file)
        for op in book.ops[file]:
            journal.write(op)
        journal.close()
    return run
