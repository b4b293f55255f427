"""Faults of the wall clock of the target's processes: the parts that all of them share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

from shaketable import plural
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.kinds.processes import ProcessFault

#: Seconds by which a Date header may be late: two caches of a second, and whole seconds.
LATE_S = 4.0
#: Seconds within which a process that reads its clock reads it again, and shows it.
SEEN_S, LOOK_S = 4.0, 0.1


@dataclass(frozen=True)
class ClockFault(ProcessFault):
    """`process` is one process, or all of a role; its processes run by a wall clock that can be moved."""

    process: str
    limits: ClassVar[str] = """
- Needs Linux, the extra `clock` (`pip install 'shaketable[clock]'`), and a target on this machine: not --stack compose.
- CLOCK_REALTIME moves, within a second. CLOCK_MONOTONIC and the waits on it do not, as on a machine whose clock is set.
- The clocks of the servers do not move, nor the times of files.
- A program that is statically linked, or asks the kernel without the C library (Go), is not intercepted: nothing lands,
  and the run is unknown."""

    def blocks_intake(self, context: FaultContext) -> bool:  # noqa: ARG002
        return False

    @property
    def rate_off(self) -> float:
        """Seconds by which the clock moves away from the right time each second."""
        return 0.0

    def note_reads(self, context: FaultContext) -> None:
        """Store how often each process has read its clock, for the witness."""
        for name in context.processes.named(self.process):
            context.scratch[f"{self._key}.{name}"] = float(context.processes.clock(name).reads())

    def heal(self, context: FaultContext) -> None:
        try:
            context.release(self._key)
        finally:
            for name in context.processes.named(self.process):
                context.scratch.pop(f"{self._key}.{name}", None)
                context.processes.clock(name).set_right(self.kind)

    def settle(self, context: FaultContext) -> None:
        """Wait until each process has read its clock, and shows it."""
        deadline = time.monotonic() + SEEN_S
        while not self.witness(context).landed and time.monotonic() < deadline:
            time.sleep(LOOK_S)

    def witness(self, context: FaultContext) -> Witness:
        """Each process has loaded the library and read its clock since the injection; its Date header does not differ.

        The header is looked at where its health has one.
        """
        seen = [self._seen(context, name) for name in context.processes.named(self.process)]
        landed, reads = all(landed for landed, _, _ in seen), sum(reads for _, reads, _ in seen)
        return Witness(landed, reads, "reads of a clock", "; ".join(told for _, _, told in seen))

    def _seen(self, context: FaultContext, name: str) -> tuple[bool, int, str]:
        """Whether it landed in one process, how often that has read its clock, and both in words."""
        clock, pids = context.processes.clock(name), context.processes.pids(name)
        before = context.scratch.get(f"{self._key}.{name}")
        if before is None or not pids:
            return False, 0, f"{name} {'is not running' if before is not None else 'has the right clock'}"
        reads, offset, shown = clock.reads() - int(before), clock.offset_s, context.processes.shown_offset_s(name)
        told = f"{name} {offset:+,.1f} s, read {plural.counted(reads, 'times')}"
        if shown is not None:
            told = f"{told}, its Date header {shown:+,.0f} s"
        if without := clock.without(pids):
            told = f"{told}, not loaded in {len(without)} of {plural.counted(len(pids), 'processes')}"
        agrees = shown is None or abs(shown - offset) <= LATE_S * (1 + abs(self.rate_off))
        return reads > 0 and agrees and not without, reads, told
