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


class Vitals(msgspec.Struct, frozen=True):
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


def status(vitals: Vitals, stall_s: float) -> Status:
    """The answer for these vitals; `stall_s` without a commit is a stall."""
    return Status(
        health_score=score(vitals, stall_s),
        circuit_breaker_state=worst_state(vitals),
        queue_depth=vitals.depth,
        dead_letter_count=last.dead_letters if (last := last_count(vitals)) else 0,
        workers=vitals.workers,
    )


def score(vitals: Vitals, stall_s: float) -> int:
    """100, less what the window holds against it, within the bounds of what cannot be done now."""
    if not vitals.queue_answers or vitals.may_evict:
        return 0
    points = max(FLOOR_OF_BACKLOG, 100 - _for_dead_letters(vitals) - _for_depth(vitals)) - _for_failures(vitals)
    return max(0, int(min(points, _bound(vitals, stall_s))))


def worst_state(vitals: Vitals) -> str:
    """The worst live worker's breaker state."""
    return max((w.circuit_breaker_state for w in vitals.workers), key=STATES.index, default=NO_STATE)


def last_count(vitals: Vitals) -> Heartbeat | None:
    """The worker that counted the dead letters last: who has given up its lanes tells an old number for ever."""
    return max(vitals.workers, key=lambda w: w.counted_at, default=None)


def _for_failures(vitals: Vitals) -> float:
    rounds = sum(w.rounds for w in vitals.workers)
    rate = sum(w.failed_rounds for w in vitals.workers) / rounds if rounds else 0.0
    return min(30.0, rate * 100) if rate > TOLERATED else 0.0


def _for_dead_letters(vitals: Vitals) -> float:
    last = last_count(vitals)
    return min(20, last.dead_letters_recent) if last else 0


def _for_depth(vitals: Vitals) -> float:
    return min(20.0, vitals.depth / 10) if vitals.depth > 100 else 0.0


def _bound(vitals: Vitals, stall_s: float) -> int:
    if not vitals.workers:
        return NO_WORKER
    return STALLED if worst_state(vitals) != CLOSED or vitals.stalled_s > stall_s else 100
