"""The recorder: the harness's own journals, written from several threads, each with its clock pairs."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.op import Journal, Op, clock_op

#: Seconds between two clock pairs: over 30 without one, time is unknown.
CLOCK_EVERY_S = 10


class Recorder:
    """One journal, safe to share between threads: opens and closes with a clock pair, and repeats it."""

    def __init__(self, path: Path, process: str, clock: Clock | None = None) -> None:
        self._path, self._process, self._clock = path, process, clock or SystemClock()
        self._lock = threading.Lock()
        self._paired = 0

    def __enter__(self) -> Self:
        self._journal = Journal(self._path)
        self._pair()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pair()
        self._journal.close()

    def __call__(self, op: Op) -> None:
        """Write one op. Raises OSError when the disk refuses it."""
        with self._lock:
            if self._clock.now() - self._paired > CLOCK_EVERY_S * SECOND:
                self._pair()
            self._journal.write(op)

    def _pair(self) -> None:
        self._paired = self._clock.now()
        self._journal.write(clock_op(self._process))
