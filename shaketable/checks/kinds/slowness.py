"""Whether a target stays slower than it was: metastable, as after an outage that left it in a worse state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shaketable.checks.kinds.spans import later, observed_at, served_at
from shaketable.checks.kinds.usual import usual_s
from shaketable.clock import MS, SECOND
from shaketable.evidence.history.columns import NEVER, Ints
from shaketable.evidence.history.lateness import lost_by_harness
from shaketable.evidence.history.persisted import NONE

if TYPE_CHECKING:
    from shaketable.evidence.history import History

#: Fewer events than this before or after say nothing about a median.
ENOUGH = 20
#: A median that is not longer by at least this much is no slowness (ns).
NOTICEABLE = 250 * MS
#: A harness that is late by less than this, for nine events in ten, is no sign of a busier machine (ns).
LATE = 10 * MS
#: After the backlog is gone, events sent meanwhile get so long to pass (ns).
SETTLE = SECOND


def slower(history: History) -> float | None:
    """The median time to the commit, as a multiple of that before the first fault; None when it is unknown.

    Counted from the intended send time, of events that were due in the baseline, and of those due once the backlog was
    gone. 1 when the difference would not be noticed.
    """
    if history.events is None or history.stored is None:
        return None
    before, after = _sides(history, *_freshness(history))
    if min(len(before), len(after)) < ENOUGH:
        return None
    was, became = float(np.median(before)), float(np.median(after))
    return 1.0 if became - was < NOTICEABLE else became / max(was, 1.0)


def harness_slower(history: History) -> float:
    """How many times as late as before the first fault the harness itself sent, once the backlog was gone; 1 or more.

    Of nine events in ten, and without what waited for a free user or for an earlier event, so that nothing in it is
    the target's: what made the harness late took the processor from the target too. 1 when it would not be noticed.
    """
    if history.events is None:
        return 1.0
    before, after = _sides(history, history.events.due.to_numpy(), lost_by_harness(history))
    if min(len(before), len(after)) < ENOUGH:
        return 1.0
    was, became = float(np.quantile(before, 0.9)), float(np.quantile(after, 0.9))
    return 1.0 if became < LATE else max(1.0, became / max(was, float(MS)))


def cannot_be_told(history: History) -> bool:
    """Whether the backlog went only after the last event was due, although many were due after the healing.

    Under a steady load a slow target's queue is rate × delay long, so it may never seem empty while events still come.
    """
    if history.events is None or not len(history.events) or history.healed_at is None:
        return False
    gone, due = _gone(history), history.events.due.to_numpy()
    came = int((due > history.healed_at).sum())
    return gone != NEVER and came >= ENOUGH and gone > int(due.max())


def rate_that_tells(history: History) -> int:
    """Events a second at which the backlog would go in half the time from the healing to the last event; 0 if unknown.

    What the target drains a second is taken from this run: the rows committed while the backlog went. A backlog is as
    long as the rate is high, and goes at the difference of that drain and the rate.
    """
    assert history.events is not None
    assert history.healed_at is not None
    gone, due = _gone(history), history.events.due.to_numpy()
    if gone == NEVER or len(due) < ENOUGH or not len(history.commits):
        return 0
    drained_s = (gone - history.healed_at) / SECOND
    half_s = (int(due.max()) - history.healed_at) / SECOND / 2
    rate = (len(due) - 1) / max((int(due.max()) - int(due.min())) / SECOND, 1.0)
    stored = int(((history.committed >= history.healed_at) & (history.committed < gone)).sum())
    held_s = max(stored - rate * drained_s, 0.0) / rate  # seconds of load that were in the backlog
    found = int(min(half_s * stored / max(drained_s, 0.1) / (held_s + half_s), 0.9 * rate))
    return found - found % 10 if found > 10 else found


def _sides(history: History, due: Ints, took: Ints) -> tuple[Ints, Ints]:
    """The durations of events that were due before the first fault, and after the backlog was gone."""
    gone = _gone(history)
    if gone == NEVER or not history.faults:
        return took[:0], took[:0]
    first = min(fault.began for fault in history.faults)
    return took[due < first - SETTLE], took[(due >= gone + SETTLE) & (due < observed_at(history))]


def _gone(history: History) -> int:
    """When the backlog was gone from the queue, and from the clients; NEVER if the queue never was short.

    Clients that the outage refused wait, and send again later: what they send late, the target has not slowed. But
    those that still wait after the usual time are a part of its slowness.
    """
    healed = NEVER if history.healed_at is None else history.healed_at
    short, served = (times[times >= healed] for times in (history.empty_at, served_at(history)))
    if not len(short):
        return NEVER
    usual = later(healed, usual_s(history.timing))
    return max(int(short[0]), min(int(served[0]), usual) if len(served) else usual)


def _freshness(history: History) -> tuple[Ints, Ints]:
    """The intended time of each stored event, and how long after it its row was committed (ns)."""
    assert history.events is not None
    assert history.stored is not None
    event, committed = history.stored.event.to_numpy(), history.stored.committed_at.to_numpy()
    known = (event >= 0) & (committed != NONE)
    due = history.events.due.to_numpy()[event[known]]
    return due, history.clocks.to_monotonic(committed[known]) - due
