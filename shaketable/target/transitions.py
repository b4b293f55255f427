"""Breaker transitions: each process writes its own before they take effect; the harness reads them itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.files import foreign
from shaketable.rundir import RunDir

#: What a process appends to in its STATE_DIR.
FILE = "transitions.jsonl"
#: Bytes that are read of one process's file, and of one line.
MOST, LONGEST_LINE = 16 << 20, 64 << 10
#: Lines at the end of a file among which the last whole one is looked for, and characters of a state.
LOOKED_AT, LONGEST = 20, 40


def collect(run: RunDir, state: Path) -> int:
    """Merge the processes' files into the run's, by time; returns how many. Lines that are no JSON are skipped.

    A file that is not read to its end leaves a line without a number, so that a transition is known to be missing.
    """
    lines = sorted((line for path in sorted(state.glob(f"*/{FILE}")) for line in _lines(path)), key=_at)
    return rundir.write_lines(run / rundir.TRANSITIONS, lines)


def last_state(path: Path) -> str | None:
    """The state that a process's last transition led to; None where it wrote none."""
    for line in reversed(foreign.tail(path, LOOKED_AT)):
        with suppress(msgspec.DecodeError, RecursionError):
            found = msgspec.json.decode(line)
            return str(found["to"])[:LONGEST] if isinstance(found, dict) and "to" in found else None
    return None


def _at(line: dict[str, Any]) -> int:
    at = line.get("monotonic_ns")
    return at if isinstance(at, int) and abs(at) <= 2**62 else 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The whole lines of a file. What is skipped here shows as a gap in `seq`, which is missing evidence."""
    try:
        for line in foreign.lines(path, MOST, LONGEST_LINE):
            with suppress(msgspec.DecodeError, RecursionError):
                value = msgspec.json.decode(line) if line.endswith(b"\n") else None
                if isinstance(value, dict):
                    yield value
    except OSError as e:
        yield {"process": path.parent.name, "incarnation": "?", "reason": f"{FILE} is not read further: {e.strerror}"}
