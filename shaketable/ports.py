"""Loopback ports for one run: a block outside every ephemeral range, held by a file lock while the run lives.

A disabled proxy frees its port, so binding is no reservation; the lock is.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shaketable.errors import HarnessError, InputError

#: First and last port that a block may hold: Linux's ephemeral ports begin at 32768.
FIRST, LAST = 20_000, 32_767
#: Ports in a block: servers, two links a process and one for intake, a port for each process.
SIZE = 64


class Ports:
    """The ports of one block, handed out in order."""

    def __init__(self, base: int) -> None:
        self.base = base
        self._free = list(range(base, base + SIZE))

    def take(self) -> int:
        """The next port. Raises HarnessError when the block is used up."""
        if not self._free:
            raise HarnessError(f"a run has {SIZE} ports, and all are taken: give the target fewer processes")
        return self._free.pop(0)

    def give_back(self, port: int) -> None:
        """This port may be handed out again, last of all."""
        self._free.append(port)


@contextmanager
def reserve(base: int | None = None) -> Iterator[Ports]:
    """Hold a block: the one at `base`, else the first that is free. Raises InputError for a `base` that is in use."""
    for candidate in [base] if base is not None else range(FIRST, LAST - SIZE + 2, SIZE):
        lock = _lock(candidate)
        if lock is None:
            continue
        try:
            if (busy := _busy(candidate)) is None:
                yield Ports(candidate)
                return
        finally:
            os.close(lock)
        if base is not None:
            raise InputError(f"expected ports {base} to {base + SIZE - 1} to be free, but {busy} is in use: {_REMEDY}")
    if base is not None:
        raise InputError(f"ports {base} to {base + SIZE - 1} belong to another run: {_REMEDY}")
    raise HarnessError(f"no {SIZE} free ports in a row between {FIRST} and {LAST}: end what listens there")


_REMEDY = "name another --port-base, or leave it out"


def check_base(base: int) -> int:
    """Refuse a base outside the range that no ephemeral port can reach."""
    if not FIRST <= base <= LAST - SIZE + 1:
        raise InputError(f"expected a port base between {FIRST} and {LAST - SIZE + 1}, got {base}")
    return base


def _lock(base: int) -> int | None:
    """The locked file of a block, or None when somebody holds it. Files stay: only the lock means anything."""
    folder = Path(tempfile.gettempdir()) / f"shaketable-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(folder / str(base), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd


def _busy(base: int) -> int | None:
    """The first port of the block that somebody listens on: other users' runs hold locks of their own."""
    for port in range(base, base + SIZE):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return port
    return None
