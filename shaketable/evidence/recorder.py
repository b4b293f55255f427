"""The recorder: the harness's journals, written from several threads, with clock pairs.

A thread does not see a failed write; the main thread checks for it and ends the run.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable import rundir
from shaketable.op import Journal, Op, clock_op

#: Seconds between two clock pairs; a gap above 30 s makes times unknown.
CLOCK_EVERY_S = 10


class Recorder:
    """A thread-safe journal that begins and ends with a clock pair, and repeats it."""

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
        """Write one op, unless a write has failed before: a run with a gap cannot be judged."""
        with self._lock:
            if self._refused is None:
                try:
                    self._journal.write(op)
                except OSError as e:
                    self._refused = e

    def raise_error(self) -> None:
        """Raise HarnessError if a write has failed."""
        if self._refused is not None:
            raise rundir.refused(self._path, self._refused)

    def _pair(self) -> None:
        self(clock_op(self._process))

    def _repeat(self) -> None:
        """Write clock pairs in a separate thread, also while no ops occur."""
        while not self._closing.wait(CLOCK_EVERY_S):
            self._pair()
