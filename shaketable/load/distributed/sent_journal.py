"""The journal of a worker elsewhere: its ops are sent to the master, in the master's time."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from shaketable.load.distributed.offset import Offset
from shaketable.op import Kind, Op, Scalar

#: Members of an op's detail that are times of the worker's clock.
TIMES = ("due", "emitted")


class SentJournal:
    """Collects ops as lines. `send` receives them at the next `flush`, and at once when the schedule is played."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send, self._lines = send, list[str]()
        self._encode = msgspec.json.Encoder().encode
        self.offset = Offset()  # of the master's clock; known before the first op with a time that counts
        self.error = 0  # of the offset, in nanoseconds, as it is known by now

    def write(self, op: Op) -> None:
        """Collect one op. The worker's own wall clock is left out: it says nothing about the harness's machine."""
        if op.kind is Kind.CLOCK:
            return
        ended = None if op.ended_at is None else op.ended_at + self.offset.ns
        moved = msgspec.structs.replace(
            op, invoked_at=op.invoked_at + self.offset.ns, ended_at=ended, detail=self._detail(op)
        )
        self._lines.append(self._encode(moved).decode() + "\n")
        if op.kind is Kind.DONE:
            self.flush()

    def flush(self) -> None:
        """Send what was collected."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._send("".join(lines))

    def _detail(self, op: Op) -> dict[str, Scalar]:
        moved = {name: int(op.detail[name] or 0) + self.offset.ns for name in TIMES if name in op.detail}
        if op.kind is Kind.READY:
            return {**op.detail, "clock_offset": self.offset.ns, "clock_error": self.error}
        if op.kind is Kind.DONE:
            return {**op.detail, "clock_error": self.error}
        return {**op.detail, **moved} if moved else op.detail
