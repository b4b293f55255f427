"""A breaker's transitions: one JSON line each, on disk before they take effect."""

from __future__ import annotations

import os
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from reference_impl import log

FILE = "transitions.jsonl"
#: How many are served at /breaker/transitions.
REMEMBERED = 1000


class Transition(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One change of state. A gap in `seq` is one that could not be written."""

    process: str
    incarnation: str
    seq: int
    from_: str | None
    to: str
    at: datetime
    monotonic_ns: int
    reason: str


class Transitions:
    """The transitions of one process, appended to STATE_DIR/transitions.jsonl."""

    def __init__(self, state_dir: str, process: str, incarnation: str) -> None:
        self._path = Path(state_dir) / FILE
        self._process, self._incarnation = process, incarnation
        self._fd: int | None = None
        self.seen: deque[Transition] = deque(maxlen=REMEMBERED)
        self.count = 0

    def record(self, before: str | None, after: str, reason: str) -> None:
        """Write one transition. A disk that refuses delays nothing: the gap in `seq` tells of it."""
        at, monotonic = datetime.now(UTC), time.monotonic_ns()
        one = Transition(self._process, self._incarnation, self.count, before, after, at, monotonic, reason)
        self.count += 1
        self.seen.append(one)
        log.info("breaker", **{"from": before, "to": after, "reason": reason})
        try:
            self._append(msgspec.json.encode(one) + b"\n")
        except OSError as e:
            log.warning("a transition could not be written", errno=e.errno)

    def _append(self, line: bytes) -> None:
        """One os.write, so that a SIGKILL leaves it whole or not at all."""
        if self._fd is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if os.write(self._fd, line) != len(line):
            raise OSError("a transition was cut off")

    def close(self) -> None:
        """Close the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
