"""The health monitor polls the queue and the heartbeats, so that /health responds at once even during an outage."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from reference_impl.operations import metrics
from reference_impl.operations.health import HealthSnapshot, Status, status
from reference_impl.queue import heartbeats, streams
from reference_impl.queue.heartbeats import QUEUE_AWAY, Heartbeat
from reference_impl.resilience.backoff import Sleep
from reference_impl.settings import Settings

#: Seconds between two polls.
POLL_S = 0.25


class HealthMonitor:
    """`snapshot` is the result of the last poll."""

    def __init__(self, settings: Settings, redis: Redis, sleep: Sleep) -> None:
        self._settings, self._redis, self._sleep = settings, redis, sleep
        self._empty_at = time.time()
        self.snapshot = HealthSnapshot()

    def status(self) -> Status:
        """The body of /health. Sets the gauges, too."""
        now = status(self.snapshot, self._settings.attempt_timeout_s)
        metrics.HEALTH.set(now.health_score)
        metrics.QUEUE_DEPTH.set(now.queue_depth)
        return now

    async def run(self) -> None:
        """Poll until the sleep raises ShuttingDown."""
        while True:
            await self.poll()
            await self._sleep(POLL_S)

    async def poll(self) -> None:
        """Poll once. While the queue does not answer, the depth and the workers stay those of the last poll."""
        try:
            may_evict = await streams.may_evict(self._redis)
            depth = sum(await streams.depths(self._redis, self._settings.concurrency))
            workers = await heartbeats.active_workers(self._redis)
        except QUEUE_AWAY:
            self.snapshot = HealthSnapshot(depth=self.snapshot.depth, workers=self.snapshot.workers)
            return
        self.snapshot = HealthSnapshot(True, may_evict, depth, self._stalled_s(depth, workers), workers)

    def _stalled_s(self, depth: int, workers: list[Heartbeat]) -> float:
        now = time.time()
        if depth == 0:
            self._empty_at = now
        return now - max(self._empty_at, *(w.committed_at for w in workers), 0.0)
