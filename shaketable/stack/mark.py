"""A mark that every descendant of a process inherits, even one that daemonises with an empty environment.

It is the resource limit RLIMIT_RTTIME, which affects only processes with real-time scheduling, at a value above 100,000
years that identifies the run and the child. The kernel passes it on at fork and exec, preserves it when the parent
dies, and reports it for every process of the same user. Marks exist only on Linux.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
from collections.abc import Iterator

#: RLIMIT_RTTIME, which the module `resource` does not name.
LIMIT = 15
_HIGHEST, _CHILD_BITS = 1 << 62, 16


def of(run_id: str, child: int = 0) -> int:
    """The mark of a run's child by its number."""
    run = int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:5])
    return _HIGHEST | run << _CHILD_BITS | child % (1 << _CHILD_BITS)


def carrying(mark: int) -> list[int]:
    """The pids of the processes with this mark."""
    return [pid for pid, found in every() if found == mark]


def of_run(run_id: str) -> list[int]:
    """The pids of the processes with the mark of any child of a run."""
    run = of(run_id) >> _CHILD_BITS
    return [pid for pid, found in every() if found >> _CHILD_BITS == run]


def every() -> Iterator[tuple[int, int]]:
    """The pid and the mark of every process that this user may ask; other processes have other numbers as marks."""
    if sys.platform != "linux":
        return
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal():
                yield int(name), resource.prlimit(int(name), LIMIT)[1]
        except OSError:
            continue  # another user's, or gone
