"""Health: a score from 0 to 100. It depends on the present and the breaker's window only, so it returns to 100.

A monitor polls the queue and the heartbeats, so that /health responds at once even during an outage.
"""

import time

import msgspec
from redis.asyncio import Redis

from reference_impl.operations import metrics
from reference_impl.queue import heartbeats, streams
from reference_impl.queue.heartbeats import Heartbeat
from reference_impl.resilience.background import Sleep
from reference_impl.resilience.circuit_breaker import CLOSED, STATES, Clock
from reference_impl.settings import Settings

#: Seconds between two polls.
POLL_S = 0.25
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
    accepts: bool = True  # the queue's server accepts writes
    may_evict: bool = False  # it may evict events under memory pressure
    depth: int = 0
    stalled_s: float = 0.0  # since a poll saw a new commit, or an empty queue
    workers: list[Heartbeat] = []
    losses: int = 0  # how often a lane came back without its last entry
    lanes: int = 0  # in force; 0: unknown


class Status(msgspec.Struct, frozen=True, rename="camel"):
    """The body of /health."""

    health_score: int
    circuit_breaker_state: str
    queue_depth: int
    dead_letter_count: int
    queue_losses: int
    workers: list[Heartbeat]


def status(snapshot: HealthSnapshot, stall_s: float) -> Status:
    """The status for this snapshot. Longer than `stall_s` without a commit is a stall."""
    total, _ = dead_letters(snapshot)
    health, breaker = score(snapshot, stall_s), worst_state(snapshot)
    return Status(health, breaker, snapshot.depth, total, snapshot.losses, snapshot.workers)


def score(snapshot: HealthSnapshot, stall_s: float) -> int:
    """100, minus points for dead letters, depth and failed attempts; limited while events cannot be stored."""
    if not (snapshot.queue_answers and snapshot.accepts) or snapshot.may_evict:
        return 0
    if not snapshot.workers:
        return NO_WORKER
    _, recent = dead_letters(snapshot)
    for_depth = min(20.0, snapshot.depth / 10) if snapshot.depth > 100 else 0.0
    rate = sum(w.failed_rounds for w in snapshot.workers) / max(1, sum(w.rounds for w in snapshot.workers))
    for_failures = min(30.0, rate * 100) if rate > TOLERATED else 0.0
    points = max(FLOOR_OF_BACKLOG, 100 - min(20, recent) - for_depth) - for_failures
    stalled = worst_state(snapshot) != CLOSED or snapshot.stalled_s > stall_s
    return int(min(points, STALLED) if stalled else points)


def worst_state(snapshot: HealthSnapshot) -> str:
    """The worst breaker state of all active workers."""
    return max((w.circuit_breaker_state for w in snapshot.workers), key=STATES.index, default=NO_STATE)


def dead_letters(snapshot: HealthSnapshot) -> tuple[int, int]:
    """In total and recently, by the worker that counted last: without lanes it counts no more, and its count is old."""
    counts = ((bool(w.lanes), w.counted_at, w.dead_letters, w.dead_letters_recent) for w in snapshot.workers)
    return max(counts, default=(False, 0.0, 0, 0))[2:]


class HealthMonitor:
    """`snapshot` is the result of the last poll.

    `now` is a monotonic clock. The times of commits are by the workers' clocks, which may be wrong: only their changes
    count.
    """

    def __init__(self, settings: Settings, redis: Redis, sleep: Sleep, now: Clock = time.monotonic) -> None:
        self._settings, self._redis, self._sleep, self._now = settings, redis, sleep, now
        self._progress_at, self._committed = now(), dict[str, float]()  # each worker's last commit
        self.snapshot = HealthSnapshot()

    def status(self) -> Status:
        """The body of /health. Sets the gauges, too."""
        now = status(self.snapshot, self._settings.attempt_timeout_s)
        metrics.HEALTH.set(now.health_score)
        metrics.QUEUE_DEPTH.set(now.queue_depth)
        metrics.QUEUE_LOSSES.set(now.queue_losses)
        return now

    async def run(self) -> None:
        """Poll until the sleep raises ShuttingDown."""
        while True:
            await self.poll()
            await self._sleep(POLL_S)

    async def poll(self) -> None:
        """Poll once. While the queue does not answer, everything else stays as it was at the last poll."""
        try:
            evicts = streams.policy_may_evict(await streams.primary(self._redis))
            losses, lanes = (int(n or 0) for n in await self._redis.mget(streams.LOSSES, streams.LANES))
            depth = sum(await streams.depths(self._redis, self._settings.concurrency))
            workers = await heartbeats.active_workers(self._redis)
            accepts = await streams.accepts_writes(self._redis)
        except streams.UNAVAILABLE:
            self.snapshot = msgspec.structs.replace(self.snapshot, queue_answers=False)
            return
        now, committed = self._now(), self._committed | {w.worker: w.committed_at for w in workers if w.committed_at}
        if depth == 0 or committed != self._committed:
            self._progress_at, self._committed = now, committed
        self.snapshot = HealthSnapshot(True, accepts, evicts, depth, now - self._progress_at, workers, losses, lanes)
