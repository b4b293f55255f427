"""Spans of time in a history: when the store was unavailable, when a fault was active, and how a time is printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, Ints

if TYPE_CHECKING:
    from shaketable.evidence.history import History
    from shaketable.evidence.history.observations import RecordedFault


class Span(NamedTuple):
    """From `begin` to before `end`, in monotonic ns."""

    begin: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.begin) / SECOND

    def has(self, time: int) -> bool:
        """Whether it lies inside."""
        return self.begin <= time < self.end

    def without(self, other: Span) -> list[Span]:
        """The parts outside the other span, without empty ones."""
        parts = Span(self.begin, min(self.end, other.begin)), Span(max(self.begin, other.end), self.end)
        return [part for part in parts if part.begin < part.end]

    def of(self, times: Ints) -> Ints:
        """Those that lie inside."""
        return times[(times >= self.begin) & (times < self.end)]


def store_outages(history: History) -> list[Span]:
    """While nothing could be stored: from when such a fault was in effect until its healing began."""
    blocking = [fault for fault in history.faults if fault.blocks_store and fault.in_effect != NEVER]
    return [Span(fault.in_effect, min(fault.heal_began, observed_at(history))) for fault in blocking]


def disturbed(history: History, grace_s: float, but: Callable[[RecordedFault], bool] = lambda _: False) -> list[Span]:
    """While anything was broken, but for those faults, and for some seconds after."""
    counting = [f for f in history.faults if f.began != NEVER and not but(f)]
    return [Span(f.began, later(f.healed, grace_s)) for f in counting]


def catching_up(history: History, span: Span, at_most_s: float) -> Span:
    """The span, and on until the backlog that it left was gone; no longer than so many seconds.

    The backlog is in the queue, and with the clients: they wait, and send again, until the intake has caught up.
    """
    end = later(span.end, at_most_s)
    gone = [Span(span.end, end).of(times) for times in (history.empty_at, served_at(history))]
    return Span(span.begin, max(int(times[0]) if len(times) else end for times in gone))


def served_at(history: History) -> Ints:
    """When no more events waited for their acknowledgement than ever before the first fault.

    Counted at each acknowledgement; events that were never acknowledged are left out: the wait would have no end.
    """
    if history.events is None:
        return np.array([], dtype=np.int64)
    acknowledged = history.events.first_acknowledged.to_numpy()
    served = acknowledged != NEVER
    due, times = np.sort(history.events.due.to_numpy()[served]), np.sort(acknowledged[served])
    waiting = np.searchsorted(due, times, side="right") - np.arange(1, len(times) + 1)
    before = waiting[times < min((fault.began for fault in history.faults), default=NEVER)]
    return np.asarray(times[waiting <= before.max(initial=0)])


def later(time: int, seconds: float) -> int:
    """The time so many seconds later (ns); NEVER stays NEVER."""
    return time if time == NEVER else time + int(seconds * SECOND)


def observed_at(history: History) -> int:
    """When the run stopped watching; NEVER for one that was cut off."""
    return history.phases.get("observe", NEVER)


def told(history: History, time: int) -> str:
    """A time for people: seconds after T0."""
    return f"{(time - (history.start or 0)) / SECOND:.2f} s"
