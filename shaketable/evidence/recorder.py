"""The recorder: the harness's own journals, written from several threads, each with its clock pairs.

A disk that refuses a record is no matter for the thread that wrote it: the main thread asks, and ends the run.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable import rundir
from shaketable.op import Journal, Op, clock_op

#: Seconds between two clock pairs: over 30 without one, time is unknown.
CLOCK_EVERY_S = 10


class Recorder:
    """One journal, safe to share between threads: opens and closes with a clock pair, and repeats it."""

    def __init__(self, path: Path, process: str) -> None:
        self._path, self._process = path, process
        self._lock = threading.Lock()
        self._refused: OSError | None = None
        self._closing = threading.Event()
        self._pairing = threading.Thread(target=self._repeat, daemon=True)

    def __enter__(self) -> Self:
        self._journal = Journal(self._path)
        self._pair()
        self._pairing.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._pairing.join()
        self._pair()
        self._journal.close()
        if error is None:
            self.raise_error()

    def __call__(self, op: Op) -> None:
        """Write one op, unless the disk has refused one: after a gap nothing can be judged."""
        with self._lock:
            if self._refused is None:
                try:
                    self._journal.write(op)
                except OSError as e:
                    self._refused = e

    def raise_error(self) -> None:
        """Raise HarnessError when the disk has refused a record."""
        if self._refused is not None:
            raise rundir.refused(self._path, self._refused)

    def _pair(self) -> None:
        self(clock_op(self._process))

    def _repeat(self) -> None:
        """By a thread of its own: a journal in which nothing happens for a while must not lose its time."""
        while not self._closing.wait(CLOCK_EVERY_S):
            self._pair()
