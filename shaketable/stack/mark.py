"""A mark that every descendant of a process inherits, one that daemonises with an empty environment too.

It is the resource limit RLIMIT_RTTIME, which holds for processes scheduled in real time alone, at a value of more than
100,000 years that names the run and the child. The kernel hands it on at fork and exec, keeps it when the parent dies,
and tells it of every process of the same user. Elsewhere than on Linux there is no mark.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
from collections.abc import Iterator

#: RLIMIT_RTTIME, for which the module `resource` has no name.
LIMIT = 15
_HIGHEST, _CHILD_BITS = 1 << 62, 16


def of(run_id: str, child: int = 0) -> int:
    """The mark of the run's child with this number."""
    run = int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:5])
    return _HIGHEST | run << _CHILD_BITS | child % (1 << _CHILD_BITS)


def carrying(mark: int) -> list[int]:
    """The numbers of processes that carry this mark."""
    return [pid for pid, found in _all() if found == mark]


def of_run(run_id: str) -> list[int]:
    """The numbers of processes that carry the mark of any child of a run."""
    run = of(run_id) >> _CHILD_BITS
    return [pid for pid, found in _all() if found >> _CHILD_BITS == run]


def _all() -> Iterator[tuple[int, int]]:
    if sys.platform != "linux":
        return
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal():
                yield int(name), resource.prlimit(int(name), LIMIT)[1]
        except OSError:
            continue  # another user's, or gone
