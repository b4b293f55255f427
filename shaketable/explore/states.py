"""The states that a trial passed through, as the probe read them several times a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from shaketable.evidence.history import NEVER, History

#: The lowest backlog of each band, in events.
BANDS = {"empty": 0, "under 50": 1, "50 to 499": 50, "500 or more": 500}
#: A part of a state that nobody knows.
UNKNOWN = "unknown"


class State(NamedTuple):
    """The active kinds of faults, sorted, the breaker, the band of the backlog, and the phase of the run."""

    faults: tuple[str, ...]
    breaker: str
    backlog: str
    phase: str


def states(history: History) -> frozenset[State]:
    """The states that the readings of the probe show; none without readings."""
    return frozenset(_states(history)) if history.probes is not None else frozenset()


def _states(history: History) -> Iterator[State]:
    assert history.probes is not None
    for reading in history.probes.itertuples():
        time: Any = reading.time
        yield State(_active(history, time), _breaker(reading.breaker), band(reading.queue), _phase(history, time))


def _active(history: History, time: int) -> tuple[str, ...]:
    """The kinds of the faults that are active then, without the harness's own repairs."""
    active = (f for f in history.faults if f.began != NEVER and f.began <= time < f.heal_began)
    return tuple(sorted({str(fault.spec.get("kind")) for fault in active} - {"repair"}))


def _breaker(told: Any) -> str:
    return told if isinstance(told, str) else UNKNOWN


def _phase(history: History, time: int) -> str:
    entered = [(at, name) for name, at in history.phases.items() if at <= time]
    return max(entered)[1] if entered else "prepare"


def band(queue: Any) -> str:
    """The band of a backlog, in events; unknown for NaN or None."""
    if queue is None or queue != queue:
        return UNKNOWN
    return next(name for name, least in reversed(BANDS.items()) if queue >= least)
