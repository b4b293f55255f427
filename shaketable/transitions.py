"""Breaker transitions: each process writes its own before they take effect; the harness reads them itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.rundir import RunDir

#: What a process appends to in its STATE_DIR.
FILE = "transitions.jsonl"


def collect(run: RunDir, state: Path) -> int:
    """Merge the processes' files into the run's, by time; returns how many. Lines that are no JSON are skipped."""
    lines = sorted((line for path in sorted(state.glob(f"*/{FILE}")) for line in _lines(path)), key=_at)
    return rundir.write_lines(run / rundir.TRANSITIONS, lines)


def last_state(path: Path) -> str | None:
    """The state that a process's last transition led to; None where it wrote none."""
    if not path.exists():
        return None
    *_, last = [None, *_lines(path)]
    return str(last["to"]) if last and "to" in last else None


def _at(line: dict[str, Any]) -> int:
    at = line.get("monotonic_ns")
    return at if isinstance(at, int) else 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file. What is skipped here shows as a gap in `seq`, which is missing evidence."""
    for line in path.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            continue
        try:
            value = msgspec.json.decode(line)
        except msgspec.DecodeError:
            continue
        if isinstance(value, dict):
            yield value
