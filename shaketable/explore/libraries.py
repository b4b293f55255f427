"""The libraries that this machine has for faults of disks and clocks, which are drawn only with theirs."""

from __future__ import annotations

from collections.abc import Callable

from shaketable.errors import HarnessError, NotPlayable
from shaketable.explore.catalogue import CATALOGUE, LIBRARIES, Library
from shaketable.files import folders
from shaketable.stack.disk_shim import library as disk
from shaketable.stack.wall_clock import library as clock

#: Why the disk's is not made: an exploration downloads nothing that nobody asked for.
NO_COMPILER = "faults of a disk need a C compiler: install one as `cc`, or name such a fault with --faults"


def found(kinds: frozenset[str], say: Callable[[str], None]) -> frozenset[Library]:
    """The libraries that are there for these kinds, all without any. `say` hears which faults are not drawn, and why.

    The disk's is compiled if it is missing; with the compiler of a wheel (90 MB) only if `kinds` has such a fault.
    """
    there: set[Library] = set()
    for each in sorted(wanted(kinds)):
        try:
            _disk(kinds, say) if each == "disk" else clock.library()
            there.add(each)
        except (NotPlayable, HarnessError) as e:
            say(f"not drawn: {e}")
    return frozenset(there)


def wanted(kinds: frozenset[str]) -> frozenset[Library]:
    """The libraries that the faults of these kinds need; all without any."""
    return frozenset(o.library for o in CATALOGUE if o.fault.kind in kinds and o.library) if kinds else LIBRARIES


def _disk(kinds: frozenset[str], say: Callable[[str], None]) -> None:
    if not kinds and not disk.at_hand(folders.cache()):
        raise NotPlayable(NO_COMPILER)
    disk.library(folders.cache(), say)
