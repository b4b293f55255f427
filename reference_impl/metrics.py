"""Metrics, for Prometheus. docs name each; nothing here carries an event's content."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from reference_impl.breaker import STATES
from reference_impl.store import Tally

ACCEPTED = Counter("reference_accepted_events", "Events the queue has taken")
REFUSED = Counter("reference_refused_events", "Events answered with a refusal", ["status"])
STORED = Counter("reference_stored_events", "Events committed to audit_log")
REPEATED = Counter("reference_repeated_events", "Deliveries of an id that was stored or dead already")
CONFLICTS = Counter("reference_conflicting_events", "Repeated ids with other content; the first stays")
DEAD = Counter("reference_dead_letters_written", "Events written to the dead letters")
RETRIES = Counter("reference_retries", "Attempts that collided and are tried again")
BATCH_SIZE = Histogram(
    "reference_batch_events", "Events a committed batch", buckets=[1, 3, 10, 30, 100, 300, 1000, 3000]
)
TRANSITIONS = Counter("reference_breaker_transitions", "Transitions of the breaker", ["to"])
BREAKER = Gauge("reference_breaker_state", "0 CLOSED, 1 HALF_OPEN, 2 OPEN")
QUEUE_DEPTH = Gauge("reference_queue_depth", "Events in the queue, as last seen")
HEALTH = Gauge("reference_health_score", "0 to 100, as last told")


def tell(tally: Tally) -> None:
    """Count a committed batch."""
    STORED.inc(tally.stored)
    REPEATED.inc(tally.repeated)
    CONFLICTS.inc(tally.conflicts)
    DEAD.inc(tally.dead)
    BATCH_SIZE.observe(tally.taken)


def transition(to: str) -> None:
    """Count a transition."""
    TRANSITIONS.labels(to).inc()
    BREAKER.set(STATES.index(to))
