"""The history itself: all columns of one run, and the few questions that several checks ask of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.errors import ScenarioError
from shaketable.evidence.history import inputs, load, observations, persisted
from shaketable.evidence.history.clocks import Clocks
from shaketable.evidence.history.columns import NEVER, Ints, count, first
from shaketable.evidence.history.contents import Contents
from shaketable.evidence.history.inputs import ScenarioFacts, TargetFacts
from shaketable.evidence.history.observations import RecordedFault
from shaketable.rundir import RunDir
from shaketable.target import roles
from shaketable.target.manifest import Capabilities, Timing


@dataclass(frozen=True, eq=False)
class History:
    """Everything a check may know. A frame that is None was not recorded."""

    scenario: ScenarioFacts
    target: TargetFacts
    clocks: Clocks
    events: pd.DataFrame | None  # a row for each planned event, by its number
    attempts: pd.DataFrame  # `event` is its number
    stored: pd.DataFrame | None  # a row for each stored row; `event` is its number or -1
    dead: pd.DataFrame | None  # a row for each dead letter; `number` is its event's or -1
    queue: dict[str, int | None] | None  # entries by key when it was observed
    poison: Ints | None  # the numbers of events that the harness had the store refuse
    faults: tuple[RecordedFault, ...]  # the timeline's, by number; then the recoveries of Toxiproxy
    sinks: pd.DataFrame | None
    probes: pd.DataFrame | None
    processes: pd.DataFrame | None
    transitions: pd.DataFrame | None
    received: pd.DataFrame | None
    phases: dict[str, int]
    failures: tuple[str, ...]  # of the harness's own processes, unordered
    start: int | None  # T0: the schedule's zero
    contents: Contents = field(repr=False)

    @classmethod
    def load(cls, run: RunDir) -> Self:
        """Read a run directory, a half-finished one too. Raises RunDirError for a file that cannot be read."""
        scenario, target = inputs.read(run)
        seen = {name: observations.ops(run / name) for name in (rundir.PHASES, rundir.FAULTS, rundir.PROBES)}
        events = load.schedule(run / rundir.SCHEDULE) if run.has(rundir.SCHEDULE) else None
        journals = load.journals(run, 0 if events is None else len(events))
        clocks = Clocks.of(journals.pairs + [pair for ops in seen.values() for pair in observations.pairs(ops)])
        phases = observations.phases(seen[rundir.PHASES])
        ids = pd.Index([] if events is None else events.event_id, dtype=object)
        return cls(
            scenario,
            target,
            clocks,
            events=None if events is None else load.with_fates(events, journals),
            attempts=journals.attempts,
            stored=persisted.stored(run, ids),
            dead=persisted.dead(run, target.dead_letters is None, ids),
            queue=persisted.queue(run / rundir.QUEUE),
            poison=persisted.poison(run / rundir.POISON, ids),
            faults=observations.faults(seen[rundir.FAULTS], scenario.timeline, phases.get("shake")),
            sinks=observations.sinks(seen[rundir.FAULTS]),
            probes=observations.probes(seen[rundir.PROBES]),
            processes=observations.processes(seen[rundir.PROBES]),
            transitions=observations.transitions(run),
            received=observations.received(run, clocks),
            phases=phases,
            failures=observations.failures(seen[rundir.PHASES]),
            start=journals.start,
            contents=Contents(run, events),
        )

    @property
    def timing(self) -> Timing:
        """What the target's laws are judged by."""
        return self.target.timing

    @property
    def capabilities(self) -> Capabilities:
        """What may be judged of the target."""
        return self.target.capabilities

    @property
    def queue_length(self) -> int | None:
        """Entries of the whole queue when it was observed; None when it was not, or a key could not be read."""
        if self.queue is None:
            return None
        known = [length for length in self.queue.values() if length is not None]
        return sum(known) if len(known) == len(self.queue) else None

    def is_aimed_at(self, fault: RecordedFault, process: str) -> bool:
        """Whether that process is among those that the fault's `process` means."""
        asked, target = str(fault.spec.get("process") or ""), self.target
        if not asked or not target.process:  # no target.json yet: by names alone
            return bool(asked) and asked in (process, process.rpartition("-")[0])
        try:
            return process in roles.resolve(target.process, target.ingest.process, asked)
        except ScenarioError:
            return False

    @cached_property
    def rows_of(self) -> Ints:
        """How many rows are stored of each planned event."""
        assert self.events is not None
        assert self.stored is not None
        return count(self.stored.event.to_numpy(), len(self.events))

    @cached_property
    def dead_letters_of(self) -> Ints:
        """How many dead letters there are of each planned event."""
        assert self.events is not None
        assert self.dead is not None
        return count(self.dead.number.to_numpy(), len(self.events))

    @cached_property
    def commits(self) -> Ints:
        """When transactions that stored something committed, sorted; empty when commit times are not known."""
        if self.stored is None:
            return np.array([], dtype=np.int64)
        known = self.stored.committed_at[self.stored.committed_at != persisted.NONE]
        return np.sort(self.clocks.to_monotonic(known.unique()))

    @cached_property
    def committed(self) -> Ints:
        """When each planned event was first committed; NEVER where it is not stored, or its commit time not known."""
        assert self.events is not None
        assert self.stored is not None
        rows = self.stored[(self.stored.event >= 0) & (self.stored.committed_at != persisted.NONE)]
        times = self.clocks.to_monotonic(rows.committed_at.to_numpy())
        return first(times, rows.event.to_numpy(), len(self.events))

    @cached_property
    def usual_queue(self) -> float:
        """The longest queue that was seen before the first fault: no longer than that is an empty backlog."""
        first = min((fault.began for fault in self.faults), default=NEVER)
        before = None if self.probes is None else self.probes[self.probes.time < first].queue
        return 0.0 if before is None or before.isna().all() else float(before.max())

    @cached_property
    def empty_at(self) -> Ints:
        """When a probe saw the queue no longer than usual."""
        if self.probes is None:
            return np.array([], dtype=np.int64)
        return self.probes.time[self.probes.queue <= self.usual_queue].to_numpy()

    def unread(self, kept: pd.DataFrame | None) -> tuple[float, str]:
        """How many rows of `stored` or `dead` were there whose very id nobody could read, and why."""
        nameless = () if kept is None else kept[kept.unreadable.notna() & (kept.event_id == "")].itertuples()
        found = [(float("inf") if row.more else 1, str(row.unreadable)) for row in nameless]
        return sum(count for count, _ in found), found[0][1] if found else ""

    @property
    def healed_at(self) -> int | None:
        """When the last fault was out again; None when there was no fault, or one was never healed."""
        last = max((fault.healed for fault in self.faults), default=NEVER)
        return None if last == NEVER else last

    def ids(self, numbers: Ints) -> list[str]:
        """The ids of events, by number."""
        assert self.events is not None
        return [str(event_id) for event_id in self.events.event_id.to_numpy()[numbers]]
