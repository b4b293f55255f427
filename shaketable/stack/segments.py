"""Remove System V shared memory of killed PostgreSQL servers: 56 bytes each, which remain until a reboot."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from pathlib import Path

#: The kernel's table of segments.
_TABLE = Path("/proc/sysvipc/shm")
#: Tolerance in seconds between a segment's creation time and a process's start time.
_SLACK_S = 60
_IPC_RMID = 0


def remove(creators: Mapping[int, float]) -> int:
    """Remove unused segments of these processes (pid, start time); returns their number."""
    call = ctypes.CDLL(None, use_errno=True).shmctl
    return sum(call(segment, _IPC_RMID, None) == 0 for segment in list(_left(creators)))


def _left(creators: Mapping[int, float]) -> Iterator[int]:
    try:
        names, *rows = (line.split() for line in _TABLE.read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return  # the kernel has no such table
    for row in rows:
        told = dict(zip(names, map(int, row), strict=True))
        born = creators.get(told["cpid"])
        if born is not None and told["nattch"] == 0 and told["ctime"] > born - _SLACK_S:
            yield told["shmid"]
