"""The journal of a run's phases: phases.jsonl, by which `check` knows how far a run came."""

from __future__ import annotations

from typing import Any

from shaketable import rundir
from shaketable.clock import Clock
from shaketable.evidence.recorder import Recorder
from shaketable.op import Kind, Op
from shaketable.rundir import RunDir


class PhaseJournal(Recorder):
    """Records the beginning of each phase, and failures of the harness. Use as a context manager."""

    def __init__(self, run: RunDir, clock: Clock) -> None:
        super().__init__(run / rundir.PHASES, "run")
        self._clock = clock

    def enter(self, phase: str, at: int | None = None, **more: Any) -> None:
        """Record that a phase begins, now or at a given time. Raises HarnessError when the disk refuses it."""
        self(Op("run", Kind.PHASE, at or self._clock.now(), detail={"name": phase, **more}))
        self.raise_error()

    def failure(self, text: str) -> None:
        """Record that a process of the harness failed."""
        self(Op("run", Kind.FAILURE, self._clock.now(), detail={"text": text}))

    def log_cut(self, name: str) -> None:
        """Record that a log grew too long and was cut."""
        self(Op("run", Kind.CUT, self._clock.now(), detail={"log": name}))
