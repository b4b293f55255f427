"""Read a run directory for the page, each file independently, so that a missing or damaged file affects no other."""

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

#: The consequence of a missing file.
MISSING = {
    rundir.VERDICT: "not judged yet: `shaketable check` judges it",
    rundir.PHASES: "the progress of the run is unknown",
    rundir.SCHEDULE: "the planned events are unknown",
    rundir.JOURNALS: "the sent and acknowledged events are unknown",
    rundir.FAULTS: "the injected faults are unknown",
    rundir.PROBES: "backlog, stored rows and health are unknown",
    rundir.TRANSITIONS: "the breakers' transitions are unknown",
    rundir.ENVIRONMENT: "the machine is unknown",
    rundir.TARGET: "the target is unknown",
}


class _Offset(msgspec.Struct, frozen=True, gc=False):
    at: int


@dataclass(frozen=True)
class Recording:
    """The available data of a run. Times are monotonic nanoseconds; missing data are None or empty."""

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
    start: int  # T0, or the best substitute
    gaps: list[str] = field(default_factory=list)  # a sentence for each missing file

    @classmethod
    def load(cls, run: RunDir) -> Self:
        """Read all existing files; never raises for a missing or damaged one."""
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
        """The run's folder, relative to the parent of `runs`."""
        return f"{self.run.path.parent.name}/{self.run.path.name}"

    @property
    def unfinished(self) -> str:
        """The last phase of an interrupted run, as a sentence; "" for a complete one."""
        if "end" in self.phases or not self.phases:
            return ""
        last = max(self.phases, key=lambda name: self.phases[name])
        return f"The run was cut off: the last phase that it entered was {last}."


class _Reader:
    """Reads one file at a time, and records errors instead of raising them."""

    def __init__(self, run: RunDir, gaps: list[str]) -> None:
        self._run, self._gaps = run, gaps

    def __call__(self, name: str, read: Callable[[Any], T | None]) -> T | None:
        return self.of(name, lambda: read(self._run / name) if self._run.has(name) else None)

    def of(self, name: str, read: Callable[[], T | None]) -> T | None:
        try:
            found = read()
        except Exception as e:  # any error of a damaged file: the rest of the page is still valid
            self._note(f"{name} cannot be read ({type(e).__name__}: {e})")
            return None
        if found is None:
            self._note(f"{name} is missing: {MISSING.get(name, 'its contents are unknown')}")
        return found

    def json(self, name: str) -> dict[str, Any]:
        return self(name, lambda path: rundir.read_json(path, dict[str, Any])) or {}

    def _note(self, gap: str) -> None:
        """Record the first reason per file, which explains the others."""
        if not any(gap.split()[0] == known.split()[0] for known in self._gaps):
            self._gaps.append(gap)


def typed(found: object, kind: type[T]) -> T | None:
    """A part of a document, or None if it has another type: a run directory may come from a stranger."""
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError:
        return None


def _faults(
    read: _Reader, ops: list[Op] | None, scenario: ScenarioFacts, shake: int | None
) -> tuple[RecordedFault, ...]:
    """The timeline's faults with their recorded times, and the repairs of Toxiproxy."""
    return read.of(rundir.FAULTS, lambda: observations.faults(ops, scenario.timeline, shake)) or ()


def _zero(start: int | None, phases: dict[str, int], probes: pd.DataFrame | None) -> int:
    """T0, the load's start; without a journal the baseline's start, else the first known time."""
    if start is not None:
        return start
    if "baseline" in phases:
        return phases["baseline"]
    known = [*phases.values(), *([] if probes is None or probes.empty else [int(probes.time.min())])]
    return min(known, default=0)
