"""Processes of the target are replaced by their next incarnation, one after another: a deployment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from shaketable.faults.fault import FaultContext, Witness
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

    def inject(self, context: FaultContext) -> None:
        for instance in context.processes.named(self.process):
            context.scratch[f"{self.kind}.{instance}.was"] = _leader(context, instance)
        self.in_turn(context, partial(self._replace, context))

    def _replace(self, context: FaultContext, instance: str) -> None:
        began = time.monotonic()
        (context.processes.stop if self.mode == "terminate" else context.processes.kill)(instance)
        context.scratch[f"{self.kind}.{instance}.ended_s"] = time.monotonic() - began
        context.processes.start(instance)
        context.processes.await_ready(instance)

    def witness(self, context: FaultContext) -> Witness:
        """A new process answers under each name; the text says how long the old one took to end."""
        found = context.processes.named(self.process)
        alive = [name for name in found if context.processes.is_alive(name)]
        fresh = [name for name in alive if self._was(context, name) != _leader(context, name)]
        met = [name for name in fresh if self._was(context, name)]  # one that was gone already has not been replaced
        took = [f"{name} {self._ended(context, name) if name in met else 'was not there'}" for name in fresh]
        landed = bool(met) and len(fresh) == len(found)
        return Witness(landed, len(met), "processes new", ", ".join(took) or "none is new")

    def _ended(self, context: FaultContext, instance: str) -> str:
        return f"ended in {context.scratch.get(f'{self.kind}.{instance}.ended_s', 0):.1f} s"

    def _was(self, context: FaultContext, instance: str) -> float:
        return context.scratch.get(f"{self.kind}.{instance}.was", _leader(context, instance))


def _leader(context: FaultContext, instance: str) -> float:
    """The number of its first process; 0 when it is not there."""
    return float(next(iter(context.processes.pids(instance)), 0))
