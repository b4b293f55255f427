"""Metrics for Prometheus. docs/metrics.md is generated from them. None carries an event's content."""

from prometheus_client import Counter, Gauge, Histogram

from reference_impl.errors import Failure

#: Upper bounds of times, in seconds: from a quick acknowledgement to a long outage.
TIMES_S = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300)
SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000)

ACCEPTED = Counter("reference_accepted_events", "Events the queue has taken")
REFUSED = Counter("reference_refused_events", "Events or requests without a 202, by status", ["status"])
INTAKE_S = Histogram("reference_intake_seconds", "From an event's admission to the queue's reply", buckets=TIMES_S)
QUEUE_DEPTH = Gauge("reference_queue_depth", "Events in the queue, as last seen")
QUEUE_LOSSES = Gauge("reference_queue_losses", "Times a lane came back without its last entry")
HEALTH = Gauge("reference_health_score", "0 to 100, as last reported")

LANES = Gauge("reference_lanes_held", "Lanes in this worker's hands")
STORED = Counter("reference_stored_events", "Successes: events committed, or handled by a handler")
REPEATED = Counter("reference_repeated_events", "Deliveries of an id that was stored or dead already")
CONFLICTS = Counter("reference_conflicting_events", "Repeated ids with other content; the first stays")
DEAD = Counter("reference_dead_letters_written", "Events written to the dead letters")
RETRIES = Counter("reference_retries", "Attempts that collided and are retried")
FAILED = Counter("reference_failed_rounds", "Failed attempts, by the meaning of the error", ["failure"])
BATCH_SIZE = Histogram("reference_batch_events", "Events a committed batch", buckets=SIZES)
BATCH_S = Histogram("reference_batch_seconds", "Processing time of a batch, retries included", buckets=TIMES_S)
AGE_S = Histogram("reference_age_seconds", "From a batch's oldest event's acceptance to its commit", buckets=TIMES_S)

BREAKER = Gauge("reference_breaker_state", "0 CLOSED, 1 HALF_OPEN, 2 OPEN")
FAILURE_RATE = Gauge("reference_breaker_failure_rate", "Share of the window's rounds that failed, 0 to 1")
TRIPS = Counter("reference_breaker_trips", "Times that the breaker opened")
TRANSITIONS = Counter("reference_breaker_transitions", "Changes of the breaker's state", ["from", "to"])

DEAD_LETTERS = Gauge("reference_dead_letters", "Dead letters in the store, as last counted")
DEAD_TODAY = Gauge("reference_dead_letters_today", "Of those, failed since midnight UTC")
DEAD_OLDEST = Gauge("reference_dead_letters_oldest_seconds", "First failure of the oldest, UTC seconds; 0: none")
DEAD_NEWEST = Gauge("reference_dead_letters_newest_seconds", "Last failure of the newest, UTC seconds; 0: none")
DEAD_REASONS = Gauge("reference_dead_letters_by_cause", "Of those, by their commonest causes", ["cause"])
ARCHIVED = Counter("reference_dead_letters_archived", "Dead letters written to the archive")
ALERTS = Counter("reference_alerts", "Alerts that were sent", ["kind"])

# each series exists from the start, so that its first increase is visible
for _status in (400, 401, 403, 408, 413, 415, 422, 500, 503, 504):
    REFUSED.labels(f"{_status}")
for _failure in Failure:
    FAILED.labels(_failure.value)
for _kind in ("dead_letter", "dead_letters_past_threshold", "breaker_open"):
    ALERTS.labels(_kind)
