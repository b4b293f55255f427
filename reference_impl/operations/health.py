"""Health: one score from 0 to 100, by a formula without memory beyond the window: it returns to 100."""

from __future__ import annotations

import msgspec

from reference_impl.queue.heartbeats import Heartbeat
from reference_impl.resilience.circuit_breaker import CLOSED, STATES

#: Share of failed rounds that is taken as noise.
TOLERATED = 0.1
#: What dead letters and depth together may leave at least: they are no outage.
FLOOR_OF_BACKLOG = 75
#: Upper bounds while events cannot be stored, and while nobody tries.
STALLED, NO_WORKER = 60, 50
#: Told as the breaker's state while no worker lives.
NO_STATE = "UNKNOWN"


class HealthSnapshot(msgspec.Struct, frozen=True):
    """What the score is made of, as last seen."""

    queue_answers: bool = False
    may_evict: bool = False  # the queue's server may drop events under memory pressure
    depth: int = 0
    stalled_s: float = 0.0  # for how long nothing was committed although the queue was not empty
    workers: list[Heartbeat] = []


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of /health."""

    health_score: int
    circuit_breaker_state: str
    queue_depth: int
    dead_letter_count: int
    workers: list[Heartbeat]


def status(snapshot: HealthSnapshot, stall_s: float) -> Status:
    """The answer for this snapshot; `stall_s` without a commit is a stall."""
    return Status(
        health_score=score(snapshot, stall_s),
        circuit_breaker_state=worst_state(snapshot),
        queue_depth=snapshot.depth,
        dead_letter_count=last.dead_letters if (last := last_count(snapshot)) else 0,
        workers=snapshot.workers,
    )


def score(snapshot: HealthSnapshot, stall_s: float) -> int:
    """100, less what the window holds against it, within the bounds of what cannot be done now."""
    if not snapshot.queue_answers or snapshot.may_evict:
        return 0
    points = max(FLOOR_OF_BACKLOG, 100 - _for_dead_letters(snapshot) - _for_depth(snapshot)) - _for_failures(snapshot)
    return max(0, int(min(points, _bound(snapshot, stall_s))))


def worst_state(snapshot: HealthSnapshot) -> str:
    """The worst live worker's breaker state."""
    return max((w.circuit_breaker_state for w in snapshot.workers), key=STATES.index, default=NO_STATE)


def last_count(snapshot: HealthSnapshot) -> Heartbeat | None:
    """The worker that counted the dead letters last: who has given up its lanes tells an old number for ever."""
    return max(snapshot.workers, key=lambda w: w.counted_at, default=None)


def _for_failures(snapshot: HealthSnapshot) -> float:
    rounds = sum(w.rounds for w in snapshot.workers)
    rate = sum(w.failed_rounds for w in snapshot.workers) / rounds if rounds else 0.0
    return min(30.0, rate * 100) if rate > TOLERATED else 0.0


def _for_dead_letters(snapshot: HealthSnapshot) -> float:
    last = last_count(snapshot)
    return min(20, last.dead_letters_recent) if last else 0


def _for_depth(snapshot: HealthSnapshot) -> float:
    return min(20.0, snapshot.depth / 10) if snapshot.depth > 100 else 0.0


def _bound(snapshot: HealthSnapshot, stall_s: float) -> int:
    if not snapshot.workers:
        return NO_WORKER
    return STALLED if worst_state(snapshot) != CLOSED or snapshot.stalled_s > stall_s else 100
