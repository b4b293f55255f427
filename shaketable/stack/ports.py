"""Loopback ports for one run: a block outside every ephemeral range, reserved for the run's lifetime.

A disabled proxy frees its port, so a port in use cannot reserve a block. The run binds the first port of its block, but
never listens on it or hands it out. Thus the reservation is visible to all users of the machine, needs no file that
could be forged, and the kernel releases it when the run dies.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shaketable.errors import HarnessError, InputError

#: First and last port of all blocks; Linux's ephemeral ports begin at 32768.
FIRST, LAST = 20_000, 32_767
#: Ports in a block: its reservation, the servers, two links and one port per process, and the intake's link.
SIZE = 64


class Ports:
    """The ports of one block, handed out in order."""

    def __init__(self, base: int) -> None:
        self.base = base
        self._free = [port for port in range(base, base + SIZE) if port not in _holders(base)]

    def take(self) -> int:
        """The next port. Raises HarnessError when the block is used up."""
        if not self._free:
            raise HarnessError(f"a run has {SIZE - 1} ports, and all are taken: give the target fewer processes")
        return self._free.pop(0)

    def give_back(self, port: int) -> None:
        """Return a port; it is handed out again after all others."""
        self._free.append(port)


@contextmanager
def reserve(base: int | None = None) -> Iterator[Ports]:
    """Reserve the block at `base`, or the first free one. Raises InputError for a `base` that is in use."""
    for candidate in [base] if base is not None else range(FIRST, LAST - SIZE + 2, SIZE):
        with ExitStack() as held:
            busy = _hold(candidate, held)
            if busy is None:
                yield Ports(candidate)
                return
        if base is not None:
            whose = "belongs to another run or program" if busy in _holders(base) else "is in use"
            raise InputError(f"expected ports {base} to {base + SIZE - 1} to be free, but {busy} {whose}: {_REMEDY}")
    raise HarnessError(f"no {SIZE} free ports in a row between {FIRST} and {LAST}: end what listens there")


_REMEDY = "name another --port-base, or leave it out"


def check_base(base: int) -> int:
    """Return a base within the range of blocks. Raises InputError for another."""
    if not FIRST <= base <= LAST - SIZE + 1:
        raise InputError(f"expected a port base between {FIRST} and {LAST - SIZE + 1}, got {base}")
    return base


def _holders(base: int) -> list[int]:
    """The ports that reserve a block: its first, or the first ports of both blocks that an unaligned base overlaps."""
    first = base - (base - FIRST) % SIZE
    return [first] if first == base else [first, first + SIZE]


def _hold(base: int, held: ExitStack) -> int | None:
    """Reserve the block while `held` is open; returns the first port in use by another program, or None."""
    for port in _holders(base):
        if not _bind(held.enter_context(socket.socket()), port):
            return port
    return next((port for port in range(base, base + SIZE) if port not in _holders(base) and _is_busy(port)), None)


def _is_busy(port: int) -> bool:
    """Whether a program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return not _bind(probe, port)


def _bind(to: socket.socket, port: int) -> bool:
    """Whether the port could be bound. Bound without SO_REUSEADDR, no other socket can bind it."""
    try:
        to.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False
