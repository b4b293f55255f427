"""The recorder: the harness's own journals, written from several threads, each with its clock pairs."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.op import Journal, Op, clock_op

#: Seconds between two clock pairs: over 30 without one, time is unknown.
CLOCK_EVERY_S = 10


class Recorder:
    """One journal, safe to share between threads: opens and closes with a clock pair, and repeats it."""

    def __init__(self, path: Path, process: str) -> None:
        self._path, self._process = path, process
        self._lock = threading.Lock()
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

    def __call__(self, op: Op) -> None:
        """Write one op. Raises OSError when the disk refuses it."""
        with self._lock:
            self._journal.write(op)

    def _pair(self) -> None:
        self(clock_op(self._process))

    def _repeat(self) -> None:
        """By a thread of its own: a journal in which nothing happens for a while must not lose its time."""
        while not self._closing.wait(CLOCK_EVERY_S):
            with suppress(OSError):  # a disk that refuses shows itself to whoever writes an op
                self._pair()
