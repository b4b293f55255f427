"""The extent of the time axis: it ends soon after the last change of anything that the page shows."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from shaketable.evidence.history import NEVER
from shaketable.report.page.recording import Recording, typed

#: The share of the time until the last change that the axis shows after it.
MARGIN = 0.05


def watched(recording: Recording) -> float:
    """The end of the observed time in seconds after T0; the phase `observe` itself is not shown."""
    times = [recording.phases[name] for name in ("observe", "end") if name in recording.phases][:1]
    if not times:
        times = list(recording.phases.values())
        times += [] if recording.probes is None else list(recording.probes.time[-1:])
        times += [] if recording.attempts is None else list(recording.attempts.invoked_at[-1:])
    return max(1.0, *(float(recording.seconds(at)) for at in times)) if times else 1.0


def end(recording: Recording) -> float:
    """The end of the axis in seconds after T0: a drain that waits for nothing more is left out."""
    whole, last = watched(recording), max(_changes(recording), default=NEVER)
    return whole if last == NEVER else max(1.0, min(whole, (1 + MARGIN) * float(recording.seconds(last))))


def _changes(recording: Recording) -> Iterator[int]:
    """The last change of each kind, in monotonic nanoseconds; NEVER for a fault that lasts until the end."""
    if recording.offsets is not None and recording.offsets.size:
        yield recording.start + int(recording.offsets.max())
    if recording.attempts is not None:
        yield from _latest(recording.attempts.ended_at[recording.attempts.ended_at != NEVER])
    yield from (fault.healed for fault in recording.faults if fault.began != NEVER)
    if recording.transitions is not None:
        yield from _latest(recording.transitions.time)
    if recording.probes is not None:
        for name in ("queue", "stored", "health", "answered"):
            yield from _latest(_changed(recording.probes, name))
    for life in typed(recording.verdict.get("lives"), list[dict[str, object]]) or []:
        if isinstance(at := life.get("at"), int | float):
            yield recording.start + int(at * 1e9)


def _changed(probes: pd.DataFrame, name: str) -> pd.Series[int]:
    """The times of the readings that differ from the known one before."""
    known = probes[probes[name].notna()]
    times: pd.Series[int] = known.time[known[name].ne(known[name].shift()) & (known.index != known.index[:1].max())]
    return times


def _latest(times: pd.Series[int]) -> list[int]:
    return [int(times.max())] if len(times) else []
