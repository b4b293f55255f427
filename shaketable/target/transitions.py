"""Breaker transitions: each process logs its own before they take effect; the harness reads the files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.files import foreign
from shaketable.op import UNREAD
from shaketable.rundir import RunDir

#: The file in a process's STATE_DIR to which it appends transitions.
FILE = "transitions.jsonl"
#: The most bytes of a process's file, and of one line.
MOST, LONGEST_LINE = 16 << 20, 64 << 10
#: Last lines that are searched for a complete one, and the most characters of a state.
LOOKED_AT, LONGEST = 20, 40


def collect(run: RunDir, state: Path, logged: Iterable[dict[str, Any]] = ()) -> int:
    """Merge the processes' files into the run's, sorted by time; returns their number. Skips lines that are not JSON.

    `logged` are those that `breaker_log` reads. A file that cannot be read to its end yields a line without a number,
    which shows that a transition is missing.
    """
    written = (line for path in sorted(state.glob(f"*/{FILE}")) for line in _lines(path))
    lines = sorted([*written, *logged], key=_at)
    return rundir.write_lines(run / rundir.TRANSITIONS, lines)


def last_state(path: Path) -> str | None:
    """The state after a process's last transition; None without one."""
    for line in reversed(foreign.tail(path, LOOKED_AT)):
        with suppress(msgspec.DecodeError, RecursionError):
            found = msgspec.json.decode(line)
            return str(found["to"])[:LONGEST] if isinstance(found, dict) and "to" in found else None
    return None


def _at(line: dict[str, Any]) -> int:
    at = line.get("monotonic_ns")
    return at if isinstance(at, int) and abs(at) <= 2**62 else 0


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The complete lines of a file. A skipped line shows as a gap in `seq`, which is missing evidence."""
    try:
        for line in foreign.lines(path, MOST, LONGEST_LINE):
            with suppress(msgspec.DecodeError, RecursionError):
                value = msgspec.json.decode(line) if line.endswith(b"\n") else None
                if isinstance(value, dict):
                    yield value
    except OSError as e:
        yield {
            "process": path.parent.name,
            "incarnation": UNREAD,
            "reason": f"{FILE} is not read further: {e.strerror}",
        }
