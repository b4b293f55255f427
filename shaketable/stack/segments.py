"""System V shared memory that a killed PostgreSQL leaves behind: 56 bytes each, for as long as the machine is up."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from pathlib import Path

#: The kernel's table of segments.
_TABLE = Path("/proc/sysvipc/shm")
#: Seconds that the kernel's clock and the time of a process's birth may differ by.
_SLACK_S = 60
_IPC_RMID = 0


def remove(creators: Mapping[int, float]) -> int:
    """Remove the segments that these processes (number, time of birth) created and nobody uses; returns how many."""
    call = ctypes.CDLL(None, use_errno=True).shmctl
    return sum(call(segment, _IPC_RMID, None) == 0 for segment in list(_left(creators)))


def _left(creators: Mapping[int, float]) -> Iterator[int]:
    try:
        names, *rows = (line.split() for line in _TABLE.read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return  # a kernel without
    for row in rows:
        told = dict(zip(names, map(int, row), strict=True))
        born = creators.get(told["cpid"])
        if born is not None and told["nattch"] == 0 and told["ctime"] > born - _SLACK_S:
            yield told["shmid"]
