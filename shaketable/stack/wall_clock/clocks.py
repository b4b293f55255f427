"""The clocks of a run: one for each process of the target, all right at the beginning."""

from __future__ import annotations

import ctypes
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shaketable.errors import HarnessError
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.wall_clock.clock import FILE, WallClock
from shaketable.stack.wall_clock.opens import Opens

#: Where POSIX shared memory is on Linux, and what glibc puts before the name of a semaphore.
_SHARED, _SEMAPHORE = Path("/dev/shm"), "sem."
#: The library enters the semaphore for a moment when a process starts; one that is killed then never leaves it.
_ENTRANCES = 1_000_000_000
#: Bytes: more than the library's `struct ft_shared_s`. All zero: the clocks' offsets count from 1970.
_SIZE = 4096


class WallClocks:
    """Makes the clocks of a run."""

    def __init__(self, folder: Path, library: Path, shared: str) -> None:
        self._folder, self._library, self._shared = folder, library, shared
        self._opens = Opens(FILE)

    def of(self, name: str) -> WallClock:
        """A clock for the process of this name."""
        return WallClock(self._folder / name, self._library, self._shared, self._opens)

    def close(self) -> None:
        """Stop counting reads."""
        self._opens.close()


@contextmanager
def opened(library: Path | None, supervisor: Supervisor) -> Iterator[WallClocks | None]:
    """The clocks of a run; None without a library, when no fault moves a clock.

    Each process that loads the library would create a semaphore and shared memory of its own, and leave them behind
    when it is killed. So all of a run use one pair, which is removed with the run.
    """
    if library is None:
        yield None
        return
    name = f"shaketable-{secrets.token_hex(8)}"
    files = [_SHARED / name, _SHARED / f"{_SEMAPHORE}{name}"]
    for file in files:
        supervisor.folder(file)
    try:
        _create(name)
        clocks = WallClocks(supervisor.scratch(), library, f"/{name} /{name}")
        try:
            yield clocks
        finally:
            clocks.close()
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def _create(name: str) -> None:
    """Create the semaphore and the shared memory of this name. Raises HarnessError."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sem_open.restype = ctypes.c_void_p
    semaphore = libc.sem_open(f"/{name}".encode(), os.O_CREAT | os.O_EXCL, 0o600, _ENTRANCES)
    if not semaphore:
        raise HarnessError(f"cannot create a semaphore in {_SHARED}: {os.strerror(ctypes.get_errno())}")
    libc.sem_close(ctypes.c_void_p(semaphore))
    descriptor = os.open(_SHARED / name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    os.ftruncate(descriptor, _SIZE)
    os.close(descriptor)
