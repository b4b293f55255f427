"""An op: one action of one process at a known time. A history consists of ops, one JSON line each."""

from __future__ import annotations

import errno
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from shaketable import clock

#: The incarnation of a transition that stands for all those of its process that could not be read.
UNREAD = "?"


class Outcome(StrEnum):
    """The outcome of an attempt as the client knows it; indeterminate when in doubt."""

    ACKNOWLEDGED = "acknowledged"  # 202: the target has promised to store it
    REFUSED = "refused"  # certainly not accepted
    INDETERMINATE = "indeterminate"  # may or may not have been accepted


class Kind(StrEnum):
    """The kind of an op; each comment names its writer."""

    CLOCK = "clock"  # every journal: both clocks at one instant (detail.wall)
    PHASE = "phase"  # the run: a phase began (detail.name)
    READY = "ready"  # the load: all users are open (detail.users)
    START = "start"  # the load: invoked_at is T0, the schedule's zero
    INTENT = "intent"  # the load: an attempt is about to be sent
    SEND = "send"  # the load: the same attempt, with its outcome
    UNSENT = "unsent"  # the load: a scheduled event that was never sent (detail.why)
    GIVE_UP = "give_up"  # the load: no attempt was acknowledged within the resend budget
    DONE = "done"  # the load: the schedule is played (detail: counts)
    INJECT = "inject"  # the injector: a fault was put in (detail.fault is its number)
    HEAL = "heal"  # the injector: the fault was removed again
    WITNESS = "witness"  # the injector: evidence that the fault landed (detail.landed)
    REPAIR = "recovery"  # the harness repaired a wedged Toxiproxy, which cut connections (detail.proxy, detail.how)
    SINK = "sink"  # a sink: one connection attempt was accepted and closed (detail.link)
    PROBE = "probe"  # the probe: one reading of the target
    COUNTERS = "counters"  # the probe: the counters of one process of the target (detail.incarnation)
    EXIT = "exit"  # a process of the target ended (detail.asked)
    FAILURE = "failure"  # the run: a process of the harness failed although no fault caused it (detail.text)
    CUT = "cut"  # the run: a log grew too long and was truncated (detail.log)
    START_PROCESS = "start_process"  # a process of the target was started (detail.incarnation)


#: A whole number that fits the 64 bits of a column.
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
#: A time in nanoseconds, with room for arithmetic: 2 ** 62 ns are 146 years.
Nanoseconds = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
#: A time in microseconds that also fits in nanoseconds.
Microseconds = Annotated[int, msgspec.Meta(ge=-(2**52), le=2**52)]
Scalar = str | int | float | bool | None


class Op(msgspec.Struct, frozen=True, omit_defaults=True):
    """One op. Times are CLOCK_MONOTONIC nanoseconds of the machine that wrote it."""

    process: str  # the writer: load-0, injector, probe or run
    kind: Kind
    invoked_at: Nanoseconds
    ended_at: Nanoseconds | None = None
    outcome: Outcome | None = None
    event_id: str | None = None
    attempt: Whole | None = None  # unique within the process; joins INTENT and SEND
    detail: dict[str, Scalar] = {}


def clock_op(process: str, pair: clock.Pair | None = None) -> Op:
    """Return a (monotonic, wall) pair as an op; a journal begins and ends with one and repeats them in between."""
    at = pair or clock.pair()
    return Op(process, Kind.CLOCK, at.monotonic, detail={"wall": at.wall})


class Journal:
    """An append-only file of ops. Each record is one os.write, so a SIGKILL loses no written record."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._encode = msgspec.json.Encoder().encode

    def write(self, op: Op) -> None:
        """Append one op. Raises OSError when the disk accepts none or only a part of it."""
        line = self._encode(op) + b"\n"
        if (taken := os.write(self._fd, line)) != len(line):
            os.ftruncate(self._fd, os.lseek(self._fd, 0, os.SEEK_CUR) - taken)  # or it would corrupt the next record
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        """Close the file; a closed journal stays closed."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
