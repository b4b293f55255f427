"""The trace of an event: scheduled, sent, answered, stored or not; where it was last seen, and the faults meanwhile.

Printed for every event in a set that its check calls an anomaly, so that you need not search the journals for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from shaketable.checks.check import Anomaly, Finding, Verdict
from shaketable.checks.kin import Kin
from shaketable.checks.kinds.last_seen import failed_at, open_at
from shaketable.clock import SECOND
from shaketable.evidence.history import NEVER, History
from shaketable.evidence.history.columns import Ints
from shaketable.evidence.history.persisted import NONE
from shaketable.text import instant, spaced

#: Most faults and exits in one trace; it is unknown how late a lost event was lost.
MEANWHILE = 6


class EventTrace(msgspec.Struct, frozen=True):
    """The trace of one event. Times in the text are seconds after T0."""

    event_id: str
    fate: str = ""  # the label of its anomaly
    story: list[str] = []  # in order
    last_seen: str = ""
    meanwhile: list[str] = []  # faults that were active, processes that ended
    shares: list[str] = []  # of a lost event: what it has in common with others
    at: float | None = None  # seconds after T0: when it was last seen or stored, else its intended time
    example_of: str = ""  # a failed check that names no anomaly: the trace is of the first event in its sets

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        told = "; ".join([*self.story, f"last seen: {self.last_seen}"])
        shares = f" Shared: {'; '.join(self.shares)}." if self.shares else ""
        return f"{told}. Meanwhile: {'; '.join(self.meanwhile) or 'nothing was broken'}.{shares}"


def of_findings(
    history: History, findings: Mapping[str, Finding], anomalies: Sequence[tuple[str, Anomaly]]
) -> list[EventTrace]:
    """The traces of all events in the findings' anomalies, worst first, then one for each other failed check.

    Each event has one trace.
    """
    if history.events is None or history.stored is None:
        return []
    fates: dict[str, str] = {}
    for check, anomaly in anomalies:
        for member in findings[check].members.get(anomaly.set, []) if check in findings else []:
            for event_id in named(member):
                fates.setdefault(event_id, anomaly.label)
    numbers = history.numbers([*fates, *(one for each in findings.values() for one in _first(each))])
    known = [(numbers[event_id], fate) for event_id, fate in fates.items() if event_id in numbers]
    found = lives(history, [number for number, _ in known], [fate for _, fate in known])
    shown = {life.event_id for life in found}
    examples = [(each, *one) for each, finding in findings.items() if (one := _example(finding, shown, numbers))]
    others = lives(history, [number for _, number, _ in examples], [spaced(set_) for _, _, set_ in examples])
    return found + [
        msgspec.structs.replace(life, example_of=name) for life, (name, _, _) in zip(others, examples, strict=True)
    ]


def _first(finding: Finding) -> dict[str, str]:
    """The first events in each set of a failed finding, and their sets."""
    sets = finding.members.items() if finding.verdict is Verdict.FAILED else ()
    found: dict[str, str] = {}
    for event_id, name in ((event_id, name) for name, each in sets for one in each[:1] for event_id in named(one)):
        found.setdefault(event_id, name)
    return found


def _example(finding: Finding, shown: set[str], numbers: Mapping[str, int]) -> tuple[int, str] | None:
    """The first known event in the sets of a failed finding, and its set; None if an event of theirs has a trace."""
    first = _first(finding)
    if shown & set(first):
        return None
    return next(((numbers[event_id], name) for event_id, name in first.items() if event_id in numbers), None)


def named(member: str) -> list[str]:
    """The ids in a member: `ID`, `ID: what`, or `ID before ID`."""
    return member.partition(":")[0].split(" before ")[::-1]


def lives(history: History, numbers: Sequence[int], fates: Sequence[str] = ()) -> list[EventTrace]:
    """The lives of these events, in the same order; the history's columns are searched once for all of them."""
    seen = _Seen.of(history, np.array(numbers, dtype=np.int64))
    return [_life(seen, number, fate) for number, fate in zip(numbers, fates or [""] * len(numbers), strict=True)]


@dataclass(frozen=True, eq=False)
class _Seen:
    """The part of a history that is about some events."""

    history: History
    attempts: dict[int, pd.DataFrame]
    rows: dict[int, pd.DataFrame]
    letters: dict[int, pd.DataFrame]
    kin: Kin

    @classmethod
    def of(cls, history: History, numbers: Ints) -> _Seen:
        return cls(
            history,
            _grouped(history.attempts, "event", numbers),
            _grouped(history.stored, "event", numbers),
            _grouped(history.dead, "number", numbers),
            Kin(history),
        )

    def seconds(self, time: int) -> float:
        return (time - (self.history.start or 0)) / SECOND

    def at(self, time: int) -> str:
        return instant(self.seconds(time))


def _grouped(frame: pd.DataFrame | None, column: str, numbers: Ints) -> dict[int, pd.DataFrame]:
    if frame is None:
        return {}
    return {int(str(number)): rows for number, rows in frame[frame[column].isin(numbers)].groupby(column)}


def _life(seen: _Seen, number: int, fate: str) -> EventTrace:
    assert seen.history.events is not None
    event = seen.history.events.iloc[number]
    until, last_seen = _last_seen(seen, number)
    story = [f"meant for {seen.at(int(event.due))}", *_attempts(seen, number), *_rows(seen, number)]
    story += [f"dead-lettered: {letter.cause}" for letter in _of(seen.letters, number)]
    story += _spans(seen, event.event_id)
    if until == NEVER or number in seen.letters:  # not where it was stored: then nothing was in its way
        known = next((int(time) for time in (until, event.first_acknowledged) if time != NEVER), None)
        names = [] if known is None else open_at(seen.history, known)
        last_seen += f", while the breaker of {' and '.join(names)} was OPEN" if names else ""
    meanwhile = list(islice(_meanwhile(seen, int(event.due), until), MEANWHILE))
    at = next(int(time) for time in (until, event.first_acknowledged, event.due) if time != NEVER)
    return EventTrace(
        event.event_id, fate, story, last_seen, meanwhile, list(seen.kin.told(number)), round(seen.seconds(at), 3)
    )


def _of(frames: dict[int, pd.DataFrame], number: int) -> Iterator[Any]:
    yield from frames[number].itertuples() if number in frames else ()


def _attempts(seen: _Seen, number: int) -> Iterator[str]:
    """Each attempt, and its answer."""
    for n, each in enumerate(sorted(_of(seen.attempts, number), key=lambda a: a.invoked_at), 1):
        status = f" ({each.status})" if each.status else ""
        answer = "no answer" if each.ended_at == NEVER else f"{each.outcome}{status} at {seen.at(each.ended_at)}"
        why = f", {str(each.resent).replace('_', ' ')}" if each.resent else ""
        yield f"attempt {n} at {seen.at(each.invoked_at)}{why}: {answer}"


def _rows(seen: _Seen, number: int) -> Iterator[str]:
    for row in _of(seen.rows, number):
        when = "at an unknown time" if row.committed_at == NONE else f"at {seen.at(_committed(seen, row.committed_at))}"
        place = "" if row.position == NONE else f", position {row.position}"
        yield f"stored {when}{place}{f', transaction {row.xid}' if isinstance(row.xid, str) else ''}"


def _spans(seen: _Seen, event_id: str) -> list[str]:
    """The last stage that the target's own spans show; nothing without one, which proves nothing."""
    stage = seen.history.traces.last(event_id) if seen.history.traces else None
    return [f"last stage in its trace: {stage.stage}, to {seen.at(_committed(seen, stage.ended_at))}"] if stage else []


def _committed(seen: _Seen, wall_us: int) -> int:
    return int(seen.history.clocks.to_monotonic(np.array([wall_us]))[0])


def _last_seen(seen: _Seen, number: int) -> tuple[int, str]:
    """Until when it was somewhere, and where."""
    assert seen.history.events is not None
    acknowledged = int(seen.history.events.first_acknowledged.iloc[number])
    if number in seen.rows:
        times = [_committed(seen, row.committed_at) for row in _of(seen.rows, number) if row.committed_at != NONE]
        return max(times, default=acknowledged), "in the database"
    if number in seen.letters:
        failed = [failed_at(seen.history, letter.last_failed_at) for letter in _of(seen.letters, number)]
        return max((at for at in failed if at is not None), default=acknowledged), "among the dead letters"
    if acknowledged == NEVER:
        ended = [each.ended_at for each in _of(seen.attempts, number) if each.ended_at != NEVER]
        return max(ended, default=NEVER), "with the client: no attempt was acknowledged"
    return NEVER, _lost_at(seen, acknowledged)


def _lost_at(seen: _Seen, acknowledged: int) -> str:
    """Acknowledged and nowhere: the queue's length shows from when on it cannot have been there."""
    intake, probes = f"at the intake, acknowledged at {seen.at(acknowledged)}", seen.history.probes
    known = None if probes is None else probes[(probes.time > acknowledged) & probes.queue.notna()]
    if known is None or not len(known):
        return f"{intake}; nobody knows the queue"
    empty = known.time[known.queue == 0]
    if not len(empty):
        held = ", ".join(f"{key}: {length:,}" for key, length in (seen.history.queue or {}).items() if length)
        at_end = f" (at the end {held})" if held else ""
        return f"{intake}; the queue was never empty after that, so it may be there{at_end}"
    gone = seen.at(int(empty.iloc[0]))
    return f"{intake}; at {gone} the queue was empty: by then a worker had it, or it never was there"


def _meanwhile(seen: _Seen, begin: int, until: int) -> Iterator[str]:
    """Faults that were active between, and processes that ended; not how the run itself ended them."""
    until = min(until, seen.history.phases.get("observe", NEVER))
    for fault in seen.history.faults:
        if fault.began < until and fault.healed > begin:
            healed = "never healed" if fault.healed == NEVER else f"to {seen.at(fault.healed)}"
            yield f"{fault.label}, {seen.at(fault.began)} {healed}"
    ended = seen.history.processes
    if ended is not None:
        exits = ended[~ended.started.astype(bool) & ended.time.between(begin, until)]
        for process, time, asked in zip(exits.process, exits.time.tolist(), exits.asked, strict=True):
            yield f"{process} ended at {seen.at(time)}{'' if asked else ' by itself'}"
