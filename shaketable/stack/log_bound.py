"""Truncate logs that grow too long: a target may write without bound, and the limit must not block it.

Every log is opened for appending, without a pipe, so a writer continues at the new end after a truncation.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.errors import UnexpectedFailure

#: The most bytes of a log, and the number of its first bytes that remain after a truncation.
MOST, KEPT = 256 << 20, 64 << 20
#: The most bytes of Postgres's log, which is evidence of the statements that Postgres received.
MOST_EVIDENCE = 1 << 30
EVIDENCE = "postgres.log"
#: Seconds between two checks.
EVERY_S = 0.1


class LogBound:
    """Bounds the logs in a folder while open. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stop = folder, threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="log bound", daemon=True)
        self._cut: set[str] = set()
        self._told: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def newly_cut(self) -> list[str]:
        """The names of newly truncated logs. Raises UnexpectedFailure when Postgres's log is one of them."""
        new = sorted(self._cut - self._told)
        self._told.update(new)
        if EVIDENCE in new:
            raise too_long(EVIDENCE)
        return new

    def _repeat(self) -> None:
        while not self._stop.wait(EVERY_S):
            for log in self._folder.glob("*.log"):
                if cut(log, MOST_EVIDENCE if log.name == EVIDENCE else MOST):
                    self._cut.add(log.name)


def too_long(name: str) -> UnexpectedFailure:
    """The error for a truncated log that is evidence."""
    return UnexpectedFailure(
        [f"logs/{name} had more than {MOST_EVIDENCE:,} bytes and was truncated: the evidence is incomplete"]
    )


def note(most: int) -> bytes:
    """The note at the place of a truncation."""
    return f"\nshaketable: cut here: this log had more than {most:,} bytes\n".encode()


def cut(log: Path, most: int = MOST, kept: int = KEPT) -> bool:
    """Truncate a log that is longer than `most` and append a note; returns whether it was truncated."""
    with suppress(OSError):
        if log.is_symlink() or log.stat().st_size <= most:
            return False
        os.truncate(log, kept)
        with log.open("ab") as out:
            out.write(note(most))
        return True
    return False
