"""The machine's processors are busy with something else."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault, FaultContext, Witness

#: Milliseconds of waiting for a CPU, for each that the target had one: below it nobody would notice.
NOTICEABLE = 0.5
#: Milliseconds that it must have wanted one before that says anything.
WANTED_MS = 100
#: How nice the busy processes are: the harness, which is not, still gets its turn.
NICE = 5
#: They end by themselves after so many seconds, should nobody end them.
LONGEST_S = 300

_BUSY = f"import os, time\nos.nice({NICE})\nend = time.monotonic() + {LONGEST_S}\nwhile time.monotonic() < end: pass"


@dataclass(frozen=True)
class CpuPressure(Fault):
    """`per_core` processes of the harness's own for each core compute without pause, in competition with the target's.

    They are a little nicer than the rest, so that the load keeps its schedule. Healing ends them.
    """

    per_core: int = 3
    kind: ClassVar[str] = "cpu_pressure"
    colour: ClassVar[str] = "#b9770e"

    def __post_init__(self) -> None:
        if not 1 <= self.per_core <= 16:
            raise ScenarioError(f"expected 1 to 16 busy processes a core, got {self.per_core}: 3 will do")

    @property
    def label(self) -> str:
        return f"{self.per_core} busy processes a core"

    def blocks_intake(self, context: FaultContext) -> bool:  # noqa: ARG002
        return True

    def targets(self, context: FaultContext) -> list[str]:
        if not Path("/proc/self/schedstat").exists():
            raise ScenarioError("this kernel does not tell how long processes wait for a CPU (/proc/PID/schedstat)")
        return context.processes.named()

    def inject(self, context: FaultContext) -> None:
        busy = self.per_core * len(os.sched_getaffinity(0))
        context.scratch.update({f"{self.kind}.{name}": value for name, value in _times(context).items()})
        held = ExitStack()
        context.keep_open(self.kind, held)  # before: half of them must be ended too
        for _ in range(busy):
            held.callback(context.processes.run_helper("busy", [sys.executable, "-c", _BUSY]).close)

    def heal(self, context: FaultContext) -> None:
        context.release(self.kind)
        for name in [name for name in context.scratch if name.startswith(f"{self.kind}.")]:
            del context.scratch[name]

    def witness(self, context: FaultContext) -> Witness:
        """How long the target's processes waited for a CPU since the injection, and how long they had one."""
        was = {name: context.scratch.get(f"{self.kind}.{name}") for name in ("ran_ms", "waited_ms")}
        if was["ran_ms"] is None or was["waited_ms"] is None:
            return Witness(False, 0, "ms waited for each computed", "no busy process was started")
        now = _times(context)
        ran, waited = max(1.0, now["ran_ms"] - was["ran_ms"]), now["waited_ms"] - was["waited_ms"]
        told = f"the target waited {waited:.0f} ms for a CPU and had one for {ran:.0f} ms"
        noticed = ran + waited >= WANTED_MS and waited >= NOTICEABLE * ran
        return Witness(noticed, round(waited / ran, 2), "ms waited for each computed", told)


def _times(context: FaultContext) -> dict[str, float]:
    """How long all threads of the target had a CPU and waited for one, in ms, by the kernel's count."""
    pids = [pid for name in context.processes.named() for pid in context.processes.pids(name)]
    seen = [_schedstat(path) for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return {"ran_ms": sum(ran for ran, _ in seen) / 1e6, "waited_ms": sum(waited for _, waited in seen) / 1e6}


def _schedstat(path: Path) -> tuple[int, int]:
    """Nanoseconds on a CPU, and nanoseconds waiting for one; none of a thread that is gone."""
    try:
        ran, waited, _ = path.read_text(encoding="utf-8").split()
    except OSError:
        return 0, 0
    return int(ran), int(waited)
