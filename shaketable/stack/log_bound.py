"""Logs of a run are cut when they grow too long: a target may write without bound, and must not be held up by that.

Every log is opened for appending, so that whoever writes goes on at the new end; no pipe stands in between.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.errors import UnexpectedFailure

#: Bytes that a log may have, and how many of its first are kept then.
MOST, KEPT = 256 << 20, 64 << 20
#: Bytes that Postgres's log may have, which is evidence: without the rest nobody knows what Postgres received.
MOST_EVIDENCE = 1 << 30
EVIDENCE = "postgres.log"
#: Seconds between two looks.
EVERY_S = 0.1


class LogBound:
    """Meanwhile no log in the folder grows much beyond its bound. Use as a context manager."""

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
        """The names of logs that were cut, each once. Raises Unordered when it was Postgres's."""
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
    """Why nothing can be judged without all of this log."""
    return UnexpectedFailure(
        [f"logs/{name} had more than {MOST_EVIDENCE:,} bytes and was cut: what is missing is unknown"]
    )


def note(most: int) -> bytes:
    """What a log says where it was cut."""
    return f"\nshaketable: cut here: this log had more than {most:,} bytes\n".encode()


def cut(log: Path, most: int = MOST, kept: int = KEPT) -> bool:
    """Cut a log that is longer than `most`, and say so in it; returns whether it was."""
    with suppress(OSError):
        if log.is_symlink() or log.stat().st_size <= most:
            return False
        os.truncate(log, kept)
        with log.open("ab") as out:
            out.write(note(most))
        return True
    return False
