"""What the page reads of a run directory: each file for itself, so that one which is missing or torn hides no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import msgspec
import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.clock import SECOND
from shaketable.evidence.history import NEVER, ScenarioFacts, observations
from shaketable.evidence.history import load as loads
from shaketable.evidence.history.columns import Ints, blocks, table
from shaketable.evidence.history.observations import RecordedFault
from shaketable.op import Op
from shaketable.rundir import RunDir

T = TypeVar("T")

#: What a file tells, for the sentence that says it is missing.
MISSING = {
    rundir.VERDICT: "not judged yet: `shaketable check` judges it",
    rundir.PHASES: "how far the run got is not known",
    rundir.SCHEDULE: "what was meant to be sent is not known",
    rundir.JOURNALS: "what was sent and acknowledged is not known",
    rundir.FAULTS: "whether any fault was injected is not known",
    rundir.PROBES: "backlog, stored rows and health are not known",
    rundir.TRANSITIONS: "what the breakers did is not known",
    rundir.ENVIRONMENT: "what it ran on is not known",
    rundir.TARGET: "what was tested is not known",
}


class _Offset(msgspec.Struct, frozen=True, gc=False):
    at: int


@dataclass(frozen=True)
class Recording:
    """One run, as far as it was written. Times are monotonic nanoseconds; what was not recorded is None or empty."""

    run: RunDir
    scenario: ScenarioFacts
    told: dict[str, Any]  # scenario.json
    target: dict[str, Any]
    environment: dict[str, Any]
    verdict: dict[str, Any]
    phases: dict[str, int]
    faults: tuple[RecordedFault, ...]
    probes: pd.DataFrame | None
    processes: pd.DataFrame | None
    transitions: pd.DataFrame | None
    offsets: Ints | None  # intended times, nanoseconds after T0
    attempts: pd.DataFrame | None
    start: int  # T0, or the earliest time that stands for it
    gaps: list[str] = field(default_factory=list)  # what is missing, a sentence each

    @classmethod
    def load(cls, run: RunDir) -> Self:
        """Read all that is there; never raises for what is not."""
        gaps: list[str] = []
        read = _Reader(run, gaps)
        scenario = read(rundir.SCENARIO, lambda p: rundir.read_json(p, ScenarioFacts)) or ScenarioFacts()
        seen = {name: read(name, observations.ops) for name in (rundir.PHASES, rundir.FAULTS, rundir.PROBES)}
        phases = read.of(rundir.PHASES, lambda: observations.phases(seen[rundir.PHASES])) or {}
        probes = read.of(rundir.PROBES, lambda: observations.probes(seen[rundir.PROBES]))
        journals = read.of(rundir.JOURNALS, lambda: loads.journals(run, NEVER) if run.journals() else None)
        return cls(
            run,
            scenario,
            told=read.json(rundir.SCENARIO),
            target=read.json(rundir.TARGET),
            environment=read.json(rundir.ENVIRONMENT),
            verdict=read.json(rundir.VERDICT),
            phases=phases,
            faults=_faults(read, seen[rundir.FAULTS], scenario, phases.get("shake")),
            probes=probes,
            processes=read.of(rundir.PROBES, lambda: observations.processes(seen[rundir.PROBES])),
            transitions=read(rundir.TRANSITIONS, lambda _: observations.transitions(run)),
            offsets=read(rundir.SCHEDULE, lambda p: table(blocks(p, _Offset), {"at": lambda o: o.at})["at"].to_numpy()),
            attempts=None if journals is None else journals.attempts,
            start=_zero(None if journals is None else journals.start, phases, probes),
            gaps=gaps,
        )

    def seconds(self, times: Any) -> Any:
        """Seconds after T0."""
        return (np.asarray(times, dtype=np.float64) - self.start) / SECOND

    @property
    def name(self) -> str:
        """The run's folder, as people would type it."""
        return f"{self.run.path.parent.name}/{self.run.path.name}"

    @property
    def unfinished(self) -> str:
        """Where a run that was cut off ended; "" for a whole one."""
        if "end" in self.phases or not self.phases:
            return ""
        last = max(self.phases, key=lambda name: self.phases[name])
        return f"The run was cut off: the last phase that it entered was {last}."


class _Reader:
    """Reads one file at a time and notes what cannot be read, instead of raising."""

    def __init__(self, run: RunDir, gaps: list[str]) -> None:
        self._run, self._gaps = run, gaps

    def __call__(self, name: str, read: Callable[[Any], T | None]) -> T | None:
        return self.of(name, lambda: read(self._run / name) if self._run.has(name) else None)

    def of(self, name: str, read: Callable[[], T | None]) -> T | None:
        try:
            found = read()
        except Exception as e:  # whatever a torn or foreign file does to its reader, the rest of the page is still true
            self._note(f"{name} cannot be read ({type(e).__name__}: {e})")
            return None
        if found is None:
            self._note(f"{name} is missing: {MISSING.get(name, 'what it holds is not known')}")
        return found

    def json(self, name: str) -> dict[str, Any]:
        return self(name, lambda path: rundir.read_json(path, dict[str, Any])) or {}

    def _note(self, gap: str) -> None:
        """Once for each file: the first reason is the one that explains the others."""
        if not any(gap.split()[0] == known.split()[0] for known in self._gaps):
            self._gaps.append(gap)


def typed(found: object, kind: type[T]) -> T | None:
    """A part of a document, where it is what it should be: a run directory may be a stranger's."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError:
        return None


def _faults(
    read: _Reader, ops: list[Op] | None, scenario: ScenarioFacts, shake: int | None
) -> tuple[RecordedFault, ...]:
    """Those of the timeline, as far as anybody knows what became of them, and the recoveries."""
    return read.of(rundir.FAULTS, lambda: observations.faults(ops, scenario.timeline, shake)) or ()


def _zero(start: int | None, phases: dict[str, int], probes: pd.DataFrame | None) -> int:
    """T0, the load's start; without a journal the baseline's, else the first time that is known."""
    if start is not None:
        return start
    if "baseline" in phases:
        return phases["baseline"]
    known = [*phases.values(), *([] if probes is None or probes.empty else [int(probes.time.min())])]
    return min(known, default=0)
