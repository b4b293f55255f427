"""Health: a score from 0 to 100. It depends on the present and the breaker's window only, so it returns to 100."""

from __future__ import annotations

import msgspec

from reference_impl.queue.heartbeats import Heartbeat
from reference_impl.resilience.states import CLOSED, STATES

#: Share of failed attempts that costs nothing.
TOLERATED = 0.1
#: Lowest score for dead letters and depth alone: they are no outage.
FLOOR_OF_BACKLOG = 75
#: Highest scores while events cannot be stored, and while no worker is active.
STALLED, NO_WORKER = 60, 50
#: The breaker's state while no worker is active.
NO_STATE = "UNKNOWN"


class HealthSnapshot(msgspec.Struct, frozen=True):
    """The inputs of the score, from the last poll."""

    queue_answers: bool = False
    may_evict: bool = False  # the queue's server may evict events under memory pressure
    depth: int = 0
    stalled_s: float = 0.0  # since the last commit, or since the queue was empty
    workers: list[Heartbeat] = []


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The body of /health."""

    health_score: int
    circuit_breaker_state: str
    queue_depth: int
    dead_letter_count: int
    workers: list[Heartbeat]


def status(snapshot: HealthSnapshot, stall_s: float) -> Status:
    """The status for this snapshot. Longer than `stall_s` without a commit is a stall."""
    counted = last_count(snapshot)
    dead_letters = counted.dead_letters if counted else 0
    return Status(score(snapshot, stall_s), worst_state(snapshot), snapshot.depth, dead_letters, snapshot.workers)


def score(snapshot: HealthSnapshot, stall_s: float) -> int:
    """100, minus points for dead letters, depth and failed attempts; limited while events cannot be stored."""
    if not snapshot.queue_answers or snapshot.may_evict:
        return 0
    counted = last_count(snapshot)
    for_dead_letters = min(20, counted.dead_letters_recent) if counted else 0
    for_depth = min(20.0, snapshot.depth / 10) if snapshot.depth > 100 else 0.0
    points = max(FLOOR_OF_BACKLOG, 100 - for_dead_letters - for_depth) - _for_failures(snapshot)
    return max(0, int(min(points, _limit(snapshot, stall_s))))


def worst_state(snapshot: HealthSnapshot) -> str:
    """The worst breaker state of all active workers."""
    return max((w.circuit_breaker_state for w in snapshot.workers), key=STATES.index, default=NO_STATE)


def last_count(snapshot: HealthSnapshot) -> Heartbeat | None:
    """The worker that counted the dead letters last. A worker without lanes counts no more, and its number is old."""
    return max(snapshot.workers, key=lambda w: w.counted_at, default=None)


def _for_failures(snapshot: HealthSnapshot) -> float:
    rounds = sum(w.rounds for w in snapshot.workers)
    rate = sum(w.failed_rounds for w in snapshot.workers) / max(1, rounds)
    return min(30.0, rate * 100) if rate > TOLERATED else 0.0


def _limit(snapshot: HealthSnapshot, stall_s: float) -> int:
    if not snapshot.workers:
        return NO_WORKER
    return STALLED if worst_state(snapshot) != CLOSED or snapshot.stalled_s > stall_s else 100
