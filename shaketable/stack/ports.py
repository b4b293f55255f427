"""Loopback ports for one run: a block outside every ephemeral range, held while the run lives.

A disabled proxy frees its port, so a port in use reserves no block. The first port of a block does: the run binds it,
never listens on it, and hands it to nobody. So every user of the machine sees that the block is taken, no file of a
shared folder can be forged, and the kernel frees it when the run dies.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from shaketable.errors import HarnessError, InputError

#: First and last port that a block may hold: Linux's ephemeral ports begin at 32768.
FIRST, LAST = 20_000, 32_767
#: Ports in a block: the one that holds it; servers, two links a process and one for intake, a port for each process.
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
        """This port may be handed out again, last of all."""
        self._free.append(port)


@contextmanager
def reserve(base: int | None = None) -> Iterator[Ports]:
    """Hold a block: the one at `base`, else the first that is free. Raises InputError for a `base` that is in use."""
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
    """Refuse a base outside the range that no ephemeral port can reach."""
    if not FIRST <= base <= LAST - SIZE + 1:
        raise InputError(f"expected a port base between {FIRST} and {LAST - SIZE + 1}, got {base}")
    return base


def _holders(base: int) -> list[int]:
    """The ports that hold a block: its first one, or, for a base between two such blocks, the first ones of both."""
    first = base - (base - FIRST) % SIZE
    return [first] if first == base else [first, first + SIZE]


def _hold(base: int, held: ExitStack) -> int | None:
    """Hold the block for as long as `held` is open; returns the first port that somebody else has, or None."""
    for port in _holders(base):
        if not _bind(held.enter_context(socket.socket()), port):
            return port
    return next((port for port in range(base, base + SIZE) if port not in _holders(base) and _is_busy(port)), None)


def _is_busy(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return not _bind(probe, port)


def _bind(to: socket.socket, port: int) -> bool:
    """Whether the port could be bound. Without SO_REUSEADDR nobody else can bind it then, with it or without."""
    try:
        to.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False
