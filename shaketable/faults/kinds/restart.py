"""Processes of the target are replaced by their next incarnation, one after another: a deployment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from shaketable.faults.fault import Bench, Witness
from shaketable.faults.kinds.processes import Ending


@dataclass(frozen=True)
class Restart(Ending):
    """Each of `process` ends and is started again at once; the next one's turn comes when it is ready.

    `terminate` (the default): SIGTERM, and SIGKILL after the manifest's stop_s. `kill`: SIGKILL. Healing waits
    until each is ready, at most the manifest's ready_s.
    """

    process: str
    mode: Literal["terminate", "kill"] = "terminate"
    kind: ClassVar[str] = "restart"
    colour: ClassVar[str] = "#a569bd"

    @property
    def label(self) -> str:
        return f"{self.process} restarted{' (killed)' if self.mode == 'kill' else ''}"

    def inject(self, bench: Bench) -> None:
        for instance in bench.instances(self.process):
            bench.notes[f"{self.kind}.{instance}.was"] = _leader(bench, instance)
        self.in_turn(bench, partial(self._replace, bench))

    def _replace(self, bench: Bench, instance: str) -> None:
        began = time.monotonic()
        (bench.stop if self.mode == "terminate" else bench.kill)(instance)
        bench.notes[f"{self.kind}.{instance}.ended_s"] = time.monotonic() - began
        bench.start(instance)
        bench.await_ready(instance)

    def witness(self, bench: Bench) -> Witness:
        """Another process answers under each name than before; beside it, how long the old one took to end."""
        found = bench.instances(self.process)
        fresh = [name for name in found if bench.is_alive(name) and self._was(bench, name) != _leader(bench, name)]
        met = [name for name in fresh if self._was(bench, name)]  # one that was gone already has not been replaced
        took = [f"{name} {self._ended(bench, name) if name in met else 'was not there'}" for name in fresh]
        landed = bool(met) and len(fresh) == len(found)
        return Witness(landed, len(met), "processes new", ", ".join(took) or "none is new")

    def _ended(self, bench: Bench, instance: str) -> str:
        return f"ended in {bench.notes.get(f'{self.kind}.{instance}.ended_s', 0):.1f} s"

    def _was(self, bench: Bench, instance: str) -> float:
        return bench.notes.get(f"{self.kind}.{instance}.was", _leader(bench, instance))


def _leader(bench: Bench, instance: str) -> float:
    """The number of its first process; 0 when it is not there."""
    return float(next(iter(bench.pids(instance)), 0))
