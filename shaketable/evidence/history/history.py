"""The history: all columns of one run, and derived values that several checks use."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from shaketable import rundir
from shaketable.errors import ScenarioError
from shaketable.event import kinds
from shaketable.event.ids import of_row
from shaketable.event.kinds import EventKind
from shaketable.evidence.history import inputs, load, observations, persisted
from shaketable.evidence.history.clocks import Clocks
from shaketable.evidence.history.columns import NEVER, Ints, count, first
from shaketable.evidence.history.contents import Contents
from shaketable.evidence.history.inputs import ScenarioFacts, TargetFacts
from shaketable.evidence.history.observations import RecordedFault
from shaketable.evidence.history.traces import LastStages
from shaketable.rundir import RunDir
from shaketable.target import roles
from shaketable.target.manifest import Capabilities, Timing


@dataclass(frozen=True, eq=False)
class History:
    """All data available to a check. A frame that is None was not recorded."""

    scenario: ScenarioFacts
    target: TargetFacts
    clocks: Clocks
    events: pd.DataFrame | None  # one row per planned event, by number
    attempts: pd.DataFrame  # `event` is its number
    stored: pd.DataFrame | None  # one row per stored row; `event` is its number or -1
    dead: pd.DataFrame | None  # one row per dead letter; `number` is its event's number or -1
    queue: dict[str, int | None] | None  # entries by key at the observation
    parked: dict[str, int | None] | None  # entries that nobody retries, by key
    poison: Ints | None  # numbers of events that a fault made the store refuse
    faults: tuple[RecordedFault, ...]  # the timeline's, by number; then the repairs of Toxiproxy
    sinks: pd.DataFrame | None
    probes: pd.DataFrame | None
    processes: pd.DataFrame | None
    counters: pd.DataFrame | None  # of the target's processes, as each reported them
    transitions: pd.DataFrame | None
    received: pd.DataFrame | None
    traces: LastStages | None
    phases: dict[str, int]
    failures: tuple[str, ...]  # unexpected failures of the harness's processes
    start: int | None  # T0: the schedule's zero
    clock_error: int  # the largest error of a load worker's times, in nanoseconds; 0 on one machine
    contents: Contents = field(repr=False)

    @classmethod
    def load(cls, run: RunDir) -> Self:
        """Read a run directory, also an unfinished one. Raises RunDirError for an unreadable file."""
        scenario, target = inputs.read(run)
        seen = {name: observations.ops(run / name) for name in (rundir.PHASES, rundir.FAULTS, rundir.PROBES)}
        key, id_format = kinds.of(target.event).key, target.event.id_format if target.event else "uuid"
        events = load.schedule(run / rundir.SCHEDULE, key) if run.has(rundir.SCHEDULE) else None
        journals = load.journals(run, 0 if events is None else len(events))
        clocks = Clocks.of(journals.pairs + [pair for ops in seen.values() for pair in observations.pairs(ops)])
        phases = observations.phases(seen[rundir.PHASES])

        def poisoned(text: str) -> str:
            return key(of_row(text, id_format))  # RejectRows finds ids in lower case, without a prefix

        timed = not (target.times_its_own_commits and scenario.moves_clocks)
        ids = pd.Index([] if events is None else events.event_id, dtype=object)
        return cls(
            scenario,
            target,
            clocks,
            events=None if events is None else load.with_fates(events, journals),
            attempts=journals.attempts,
            stored=persisted.stored(run, ids, key, timed),
            dead=persisted.dead(run, target.dead_letters is None, ids, key),
            queue=persisted.queue(run / rundir.QUEUE),
            parked=persisted.queue(run / rundir.QUEUE, parked=True),
            poison=persisted.poison(run / rundir.POISON, ids, poisoned),
            faults=observations.faults(seen[rundir.FAULTS], scenario.timeline, phases.get("shake")),
            sinks=observations.sinks(seen[rundir.FAULTS]),
            probes=observations.probes(seen[rundir.PROBES]),
            processes=observations.processes(seen[rundir.PROBES]),
            counters=observations.counters(seen[rundir.PROBES]),
            transitions=observations.transitions(run),
            received=observations.received(run, clocks),
            traces=LastStages.of(run),
            phases=phases,
            failures=observations.failures(seen[rundir.PHASES]),
            start=journals.start,
            clock_error=journals.clock_error,
            contents=Contents(run, events),
        )

    @property
    def timing(self) -> Timing:
        """The bounds for the target's laws."""
        return self.target.timing

    @property
    def capabilities(self) -> Capabilities:
        """The target's capabilities."""
        return self.target.capabilities

    @cached_property
    def kind(self) -> EventKind:
        """How the target's events are parsed, identified and compared."""
        return kinds.of(self.target.event, self.capabilities.numbers)

    @property
    def order_by(self) -> str | None:
        """The member by which the target claims order; None if it claims none."""
        return self.target.event.order_by if self.target.event else self.capabilities.order_by

    @property
    def queue_length(self) -> int | None:
        """Entries of the whole queue at the observation; None if it was not observed or a key was unreadable."""
        if self.queue is None:
            return None
        known = [length for length in self.queue.values() if length is not None]
        return sum(known) if len(known) == len(self.queue) else None

    def is_aimed_at(self, fault: RecordedFault, process: str) -> bool:
        """Whether the fault's `process` includes that process."""
        asked, target = str(fault.spec.get("process") or ""), self.target
        if not asked or not target.process:  # no target.json: by names alone
            return bool(asked) and asked in (process, process.rpartition("-")[0])
        try:
            return process in roles.resolve(target.process, target.ingest.process, asked)
        except ScenarioError:
            return False

    @cached_property
    def rows_of(self) -> Ints:
        """The number of stored rows of each planned event."""
        assert self.events is not None
        assert self.stored is not None
        return count(self.stored.event.to_numpy(), len(self.events))

    @cached_property
    def dead_letters_of(self) -> Ints:
        """The number of dead letters of each planned event."""
        assert self.events is not None
        assert self.dead is not None
        return count(self.dead.number.to_numpy(), len(self.events))

    @cached_property
    def commits(self) -> Ints:
        """Sorted commit times of transactions that stored events; empty without commit times."""
        if self.stored is None:
            return np.array([], dtype=np.int64)
        known = self.stored.committed_at[self.stored.committed_at != persisted.NONE]
        return np.sort(self.clocks.to_monotonic(known.unique()))

    @cached_property
    def committed(self) -> Ints:
        """The first commit time of each planned event; NEVER if it is not stored or the time is unknown."""
        assert self.events is not None
        assert self.stored is not None
        event, committed = self.stored.event.to_numpy(), self.stored.committed_at.to_numpy()
        known = (event >= 0) & (committed != persisted.NONE)
        return first(self.clocks.to_monotonic(committed[known]), event[known], len(self.events))

    @cached_property
    def usual_queue(self) -> float:
        """The longest queue observed before the first fault; a backlog of at most this length counts as empty."""
        first = min((fault.began for fault in self.faults), default=NEVER)
        before = None if self.probes is None else self.probes[self.probes.time < first].queue
        return 0.0 if before is None or before.isna().all() else float(before.max())

    @cached_property
    def empty_at(self) -> Ints:
        """Times at which a probe observed an empty backlog."""
        if self.probes is None:
            return np.array([], dtype=np.int64)
        return self.probes.time[self.probes.queue <= self.usual_queue].to_numpy()

    def unread(self, kept: pd.DataFrame | None) -> tuple[float, str]:
        """The number of rows of `stored` or `dead` whose id is unreadable, and the reason."""
        nameless = () if kept is None else kept[kept.unreadable.notna() & (kept.event_id == "")].itertuples()
        found = [(float("inf") if row.more else 1, str(row.unreadable)) for row in nameless]
        return sum(count for count, _ in found), found[0][1] if found else ""

    @property
    def healed_at(self) -> int | None:
        """The time at which the last fault was healed; None without faults, or if one was never healed."""
        last = max((fault.healed for fault in self.faults), default=NEVER)
        return None if last == NEVER else last

    def numbers(self, ids: Collection[str]) -> dict[str, int]:
        """The numbers of events by their ids, without unknown ones."""
        assert self.events is not None
        found = np.flatnonzero(self.events.event_id.isin(ids))
        return dict(zip(self.ids(found), found.tolist(), strict=True))

    def ids(self, numbers: Ints) -> list[str]:
        """The ids of events by their numbers."""
        assert self.events is not None
        return [str(event_id) for event_id in self.events.event_id.to_numpy()[numbers]]
