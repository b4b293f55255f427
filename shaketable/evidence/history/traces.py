"""The traces: the last stage of each event that its spans show. Evidence for a reader: no check uses it.

A process that is killed takes the spans that it has not exported yet with it, so a missing span proves nothing.
"""

from __future__ import annotations

import msgspec

from shaketable import rundir
from shaketable.event.ids import trace_of
from shaketable.op import Microseconds
from shaketable.rundir import RunDir


class Stage(msgspec.Struct, frozen=True):
    """The span of a trace that ended last."""

    trace: str
    stage: str
    ended_at: Microseconds  # since the epoch, by the clock of the process that ended it


class LastStages:
    """The last stages, by event."""

    def __init__(self, stages: dict[str, Stage]) -> None:
        self._stages = stages

    @classmethod
    def of(cls, run: RunDir) -> LastStages | None:
        """Those of a run; None if the target exports none. Raises RunDirError."""
        if not run.has(rundir.TRACES):
            return None
        return cls({each.trace: each for each in rundir.read_lines(run / rundir.TRACES, Stage)})

    def last(self, event_id: str) -> Stage | None:
        """The last stage of an event; None if no span of it was received."""
        return self._stages.get(trace_of(event_id))
