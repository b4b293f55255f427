"""Logs of a run are cut when they grow too long: a target may write without bound, and must not be held up by that.

Every log is opened for appending, so that whoever writes goes on at the new end; no pipe stands in between.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Bytes that a log may have, and how many of its first are kept then.
MOST, KEPT = 256 << 20, 64 << 20
#: Seconds between two looks.
EVERY_S = 0.1


@contextmanager
def bounded(folder: Path, spare: frozenset[str] = frozenset({"postgres.log"})) -> Iterator[None]:
    """Meanwhile no log in the folder grows much beyond MOST; `spare` are evidence, and stay whole."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(EVERY_S):
            for log in folder.glob("*.log"):
                if log.name not in spare:
                    cut(log)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def cut(log: Path, most: int = MOST, kept: int = KEPT) -> bool:
    """Cut a log that is longer than `most`, and say so in it; returns whether it was."""
    with suppress(OSError):
        if log.is_symlink() or log.stat().st_size <= most:
            return False
        os.truncate(log, kept)
        with log.open("ab") as out:
            out.write(f"\nshaketable: cut here: this log had more than {most:,} bytes\n".encode())
        return True
    return False
