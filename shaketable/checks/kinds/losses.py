"""Which acknowledged events were lost, also those that were stored in the end because their client sent them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from shaketable import plural
from shaketable.clock import SECOND
from shaketable.evidence.history.columns import NEVER, Ints, first
from shaketable.evidence.history.persisted import NONE

if TYPE_CHECKING:
    from shaketable.checks.kinds.findings import Flags
    from shaketable.evidence.history import History

#: The queue's length in a probe may be that old: its reading is bounded, and retained meanwhile (ns).
STALE = 5 * SECOND
#: The clocks of commits and of probes may differ by so much (ns).
SKEW = SECOND // 20


def acknowledged(history: History) -> Flags:
    """Events that must be stored or dead-lettered: acknowledged, and none of those that nobody may accept."""
    assert history.events is not None
    return np.asarray(((history.events.outcome == "acknowledged") & (history.events.expect != "refuse")).to_numpy())


def missing(history: History) -> Flags:
    """Acknowledged, and in the end neither stored nor dead-lettered."""
    return np.asarray(acknowledged(history) & (history.rows_of == 0) & ~_dead(history))


def sent_again_at(history: History) -> Ints:
    """When each event was first sent again after its first acknowledgement; NEVER if it was not."""
    assert history.events is not None
    tries = history.attempts
    after = tries[tries.invoked_at.to_numpy() > history.events.first_acknowledged.to_numpy()[tries.event.to_numpy()]]
    return first(after.invoked_at.to_numpy(), after.event.to_numpy(), len(history.events))


def maybe_by_resend(history: History) -> Flags:
    """Stored, and not certainly before it was sent again after its acknowledgement: its place may be the resend's."""
    again = sent_again_at(history)
    return np.asarray((history.rows_of > 0) & (again != NEVER) & (history.committed > again))


def by_resend(history: History) -> Flags:
    """Lost after its acknowledgement, and stored only by a later attempt.

    Between the two the queue, which by contract counts work that a worker has taken, was read as empty twice, and
    nothing was stored yet: later than that, and before the resend, no more rows were counted than had been committed
    by then. Events of which the evidence does not show that much are not among them: rows that are updated in place
    hide their first commit, and a queue or rows that a command counts are known too seldom.
    """
    assert history.events is not None
    doubtful = acknowledged(history) & maybe_by_resend(history) & (history.committed != NEVER) & ~_dead(history)
    target = history.target
    if history.dead is None or target.stored.updates or target.counts_seldom or not doubtful.any():
        return np.zeros_like(doubtful)
    known, again = history.events.first_acknowledged.to_numpy(), sent_again_at(history)
    empty, absent = _empty_twice(history), _absent(history)
    since = np.searchsorted(empty, np.minimum(known, NEVER - STALE) + STALE, side="right")
    emptied = np.append(empty, NEVER)[since]
    return np.asarray(doubtful & (np.searchsorted(absent, emptied) < np.searchsorted(absent, again, side="left")))


def _absent(history: History) -> Ints:
    """When rows were counted, and none of those whose known commit is later was among them."""
    assert history.stored is not None
    if history.probes is None or "stored_age_s" not in history.probes or history.target.stored.command:
        return np.array([], dtype=np.int64)
    seen = history.probes[history.probes.stored.notna() & history.probes.stored_age_s.notna()]
    counted = seen.ended.to_numpy() - (seen.stored_age_s.to_numpy() * SECOND).astype(np.int64)
    known = history.stored.committed_at[history.stored.committed_at != NONE].to_numpy()
    commits = np.sort(history.clocks.to_monotonic(known))
    whole = seen.stored.to_numpy() <= np.searchsorted(commits, counted - SKEW, side="right")
    return np.sort(counted[whole])


def _empty_twice(history: History) -> Ints:
    """Times of probes that read an empty queue, as the probe before them did."""
    if history.probes is None:
        return np.array([], dtype=np.int64)
    empty = (history.probes.queue == 0).to_numpy()
    return np.asarray(history.probes.time.to_numpy()[1:][empty[1:] & empty[:-1]])


def lost(history: History) -> Flags:
    """All that are certainly lost: missing although the queue is empty, or stored only by a later attempt."""
    gone = missing(history)
    return np.asarray((gone & (not doubt(history, int(gone.sum())))) | by_resend(history))


def doubt(history: History, missing: int) -> str:
    """Why so many missing events need not be lost; "" when they are."""
    for what, kept in (("stored rows", history.stored), ("dead letters", history.dead)):
        if missing and (unread := history.unread(kept))[0] >= missing:
            return f"acknowledged events are not stored, but {what} could not be read: {unread[1]}"
    if history.dead is None:
        return "acknowledged events are not stored, and dead letters were not observed"
    if history.queue is None or history.queue_length is None:
        return "acknowledged events are not stored, and nobody knows what the queue holds: name it under [queue]"
    if history.queue_length:
        held = ", ".join(f"{key}: {length:,}" for key, length in history.queue.items() if length)
        left = plural.counted(history.queue_length or 0, "entries")
        return f"acknowledged events are not stored, but the queue still holds {left} ({held})"
    return ""


def _dead(history: History) -> Flags:
    none = np.zeros(len(history.rows_of), dtype=bool)
    return none if history.dead is None else history.dead_letters_of > 0
