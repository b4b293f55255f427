"""Looks at the queue and the heartbeats again and again, so that /health answers at once also while they are away."""

from __future__ import annotations

import time

from redis.asyncio import Redis

from reference_impl.operations import metrics
from reference_impl.operations.health import HealthSnapshot, Status, status
from reference_impl.queue import heartbeats as heartbeat
from reference_impl.queue import streams
from reference_impl.queue.heartbeats import QUEUE_AWAY
from reference_impl.resilience.backoff import Sleep
from reference_impl.settings import Settings

#: Seconds between two looks.
POLL_S = 0.25


class HealthMonitor:
    """The last poll, and since when the queue has held something without a commit."""

    def __init__(self, settings: Settings, redis: Redis, sleep: Sleep) -> None:
        self._settings, self._redis, self._sleep = settings, redis, sleep
        self._empty_at = time.time()
        self.snapshot = HealthSnapshot()

    def status(self) -> Status:
        """The answer of /health."""
        now = status(self.snapshot, self._settings.attempt_timeout_s)
        metrics.HEALTH.set(now.health_score)
        metrics.QUEUE_DEPTH.set(now.queue_depth)
        return now

    async def run(self) -> None:
        """Look until ShuttingDown is raised by the sleep."""
        while True:
            await self.poll()
            await self._sleep(POLL_S)

    async def poll(self) -> None:
        """One poll; a queue that does not answer leaves nothing known."""
        try:
            await streams.require_primary(self._redis)
            depth = await self._depth()
            may_evict = await streams.may_evict(self._redis)
            workers = await heartbeat.live(self._redis)
        except QUEUE_AWAY:
            self.snapshot = HealthSnapshot(depth=self.snapshot.depth, workers=self.snapshot.workers)
            return
        self.snapshot = HealthSnapshot(True, may_evict, depth, self._stalled(depth, workers), workers)

    async def _depth(self) -> int:
        return sum(await streams.depths(self._redis, self._settings.concurrency))

    def _stalled(self, depth: int, workers: list[heartbeat.Heartbeat]) -> float:
        now = time.time()
        if depth == 0:
            self._empty_at = now
        return now - max(self._empty_at, *(w.committed_at for w in workers), 0.0)
