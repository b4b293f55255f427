"""No process grows with every event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import pandas as pd

from shaketable import plural
from shaketable.checks.check import Finding, Verdict
from shaketable.checks.kinds.findings import some, unknown
from shaketable.checks.kinds.spans import Span, observed_at
from shaketable.clock import SECOND
from shaketable.evidence.history.observations import MEMORY

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: Readings whose median stands for one moment.
READINGS = 5
MIB = 1 << 20


class Growth(NamedTuple):
    """One life of one process, from when it was warm."""

    process: str
    events: int  # acknowledged meanwhile, by all of the target
    bytes: int  # more at the end than when it was warm


@dataclass(frozen=True)
class MemoryBounded:
    """No process of the target keeps growing with the events that it handles.

    leaking: a process whose resident memory, with all it started, grew by more than `spare_mib` MiB and
    `per_event_bytes` for each event acknowledged meanwhile; from `warm_up_s` seconds after its start, or the load's, to
    its end, or the run's. growth_mib: of the process that grew most, growth_per_event_bytes: the same for each event.

    Evidence: probes every 200 ms, acknowledgements. A process none of whose lives saw so many events that the budget
    for them is at least the usual variation (`spare_mib`) was not watched for long enough: unknown.

    Does not prove: that it grows no more slowly; a longer run affords a smaller `per_event_bytes`.
    """

    per_event_bytes: float = 8192
    spare_mib: float = 16.0
    warm_up_s: float = 3.0
    name: ClassVar[str] = "memory_bounded"
    held: ClassVar[str] = "memory stayed within bounds"

    def judge(self, history: History) -> Finding:
        if history.events is None or history.probes is None or "baseline" not in history.phases:
            return unknown("schedule.jsonl, probes.jsonl or the baseline is missing: nobody watched the memory")
        grown = _grown(history, int(self.warm_up_s * SECOND))
        judged = [each for each in grown if each.events * self.per_event_bytes >= self.spare_mib * MIB]
        leaking = [each for each in judged if each.bytes > self.spare_mib * MIB + each.events * self.per_event_bytes]
        found = _counts(judged, leaking)
        if leaking:
            lines = [
                f"{each.process}: {each.bytes / MIB:.1f} MiB in {plural.counted(each.events, 'events')}"
                for each in leaking
            ]
            return Finding(Verdict.FAILED, found, some(leaking=lines), f"grew all the while: {'; '.join(lines)}")
        brief = _processes(history) - {each.process for each in judged}
        if brief or not judged:
            named = f" of {', '.join(sorted(brief))}" if brief else ""
            return Finding(Verdict.UNKNOWN, found, {}, f"too few events to tell a leak{named} from what varies anyhow")
        return Finding(Verdict.PASSED, found)


def _counts(judged: list[Growth], leaking: list[Growth]) -> dict[str, int | float]:
    most = max(judged, key=lambda each: each.bytes, default=None)
    told = (
        {}
        if most is None
        else {
            "growth_mib": round(most.bytes / MIB, 1),
            "growth_per_event_bytes": round(most.bytes / max(1, most.events)),
        }
    )
    return {"judged": len(judged), "leaking": len(leaking), **told}


def _processes(history: History) -> set[str]:
    assert history.probes is not None
    return {str(column).removeprefix(MEMORY) for column in history.probes.columns if str(column).startswith(MEMORY)}


def _grown(history: History, warm_up: int) -> list[Growth]:
    """Every life of every process that was seen at two moments."""
    found = []
    for process in sorted(_processes(history)):
        for life in _lives(history, process):
            warm = Span(max(life.begin, history.phases["baseline"]) + warm_up, life.end)
            found += _growth(history, process, warm)
    return found


def _growth(history: History, process: str, warm: Span) -> list[Growth]:
    """None when there are too few readings."""
    assert history.events is not None
    assert history.probes is not None
    seen = history.probes[(history.probes.time >= warm.begin) & (history.probes.time < warm.end)]
    memory: pd.Series[float] = seen[f"{MEMORY}{process}"]
    memory = memory[memory > 0]  # 0: it was gone
    if len(memory) < 2 * READINGS:
        return []
    grew = memory.iloc[-READINGS:].median() - memory.iloc[:READINGS].median()
    return [Growth(process, len(warm.of(history.events.first_acknowledged.to_numpy())), int(grew))]


def _lives(history: History, process: str) -> list[Span]:
    """From each of its starts to the next; the whole run where none was written down."""
    starts = [] if history.processes is None else _starts(history.processes, process)
    ends = [*starts[1:], observed_at(history)]
    return [Span(begin, end) for begin, end in zip(starts or [0], ends, strict=True)]


def _starts(processes: pd.DataFrame, process: str) -> list[int]:
    mine = processes[(processes.process == process) & processes.started.astype(bool)]
    return [int(time) for time in mine.time]
