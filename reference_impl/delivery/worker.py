"""The worker: delivers from its share of the lanes to the store, and says how it fares."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.delivery.attempt import Attempts
from reference_impl.delivery.consumer import WAIT_S, WorkerStats
from reference_impl.operations import metrics
from reference_impl.operations.admin_connections import AdminConnections
from reference_impl.operations.alerts import Alerts
from reference_impl.operations.maintenance import Maintenance
from reference_impl.operations.monitor import HealthMonitor
from reference_impl.queue import heartbeats, streams
from reference_impl.queue.heartbeats import QUEUE_AWAY, Heartbeat
from reference_impl.resilience import background
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN, Breaker
from reference_impl.resilience.transition_log import Transitions
from reference_impl.settings import Settings
from reference_impl.store.handler import Handler

#: Heartbeats within the time that one is fresh, and the longest between two, in seconds.
BEATS_PER_LEASE, SLOWEST_BEAT_S = 20, 0.5


class Worker:
    """One worker: `start`, then `stop`."""

    def __init__(self, settings: Settings, handle: Handler | None = None) -> None:
        self._settings = settings
        self._stopping = asyncio.Event()
        self.sleep = background.sleeper(self._stopping)
        self._redis = streams.connect(settings.redis_url, settings.enqueue_timeout_s + WAIT_S)
        self.transitions = Transitions(settings.state_dir, settings.process, settings.incarnation)
        self.breaker = Breaker(settings, self._transition)
        self.attempts = Attempts(self.breaker, settings, self.sleep)
        self.stats = WorkerStats()
        self.monitor = HealthMonitor(settings, self._redis, self.sleep)
        self.lanes = LaneAssignment(
            settings, self._redis, self.attempts, self.stats, self.available_workers, self.sleep, handle
        )
        self.admin = AdminConnections(settings, lambda: self.breaker.state)
        self._alerts = Alerts(settings, self.sleep)
        self._alerted, self._past_threshold = 0, False
        self._maintenance = Maintenance(settings, self.admin, self.sleep)
        self._tasks: background.Parts = []

    def start(self) -> None:
        """Begin to take lanes."""
        self._tasks = background.start(
            self._stopping, self.monitor.run, self._beat, self.lanes.run, self._maintenance.run
        )

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the worker was told to stop, or ended."""
        return self._stopping

    async def stop(self) -> None:
        """Finish the batches at hand, give the lanes back. Raises what a part ended by."""
        self._stopping.set()
        self.lanes.stop()
        self.admin.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._alert_of_the_dead()  # also of those that the last batches buried
        await self._alerts.close()
        with suppress(*QUEUE_AWAY):  # the heartbeat goes stale by itself
            await heartbeats.farewell(self._redis, self._settings.process)
        await self._redis.aclose()
        self.transitions.close()
        background.blame(self._tasks)

    def _transition(self, before: str | None, after: str, reason: str) -> None:
        self.transitions.record(before, after, reason)
        metrics.record_transition(before, after)
        if after == OPEN:
            self.lanes.abort()
            self.admin.cut()
            self._alerts.notify("breaker_open", reason)

    def available_workers(self) -> int:
        """How many workers can deliver, as last heard; this one always counts."""
        others = [w for w in self.monitor.snapshot.workers if w.worker != self._settings.process]
        return 1 + sum(w.circuit_breaker_state == CLOSED for w in others)

    async def _beat(self) -> None:
        pause = min(SLOWEST_BEAT_S, self._settings.lease_s / BEATS_PER_LEASE)
        while True:
            with suppress(*QUEUE_AWAY):  # said by /health, and by every lane
                await heartbeats.beat(self._redis, self._heartbeat(), self._settings.lease_s)
            self._alert_of_the_dead()
            await self.sleep(pause)

    def _alert_of_the_dead(self) -> None:
        """Alert for what this worker has buried, and when there are more letters than the threshold."""
        stats, threshold = self.stats, self._settings.dead_letter_alert_threshold
        if buried := stats.buried - self._alerted:
            self._alerted = stats.buried
            self._alerts.notify("dead_letter", "events went to the dead letters", buried)
        if stats.dead_letters > threshold and not self._past_threshold:
            self._alerts.notify("dead_letters_past_threshold", f"there are more than {threshold} dead letters")
        self._past_threshold = stats.dead_letters > threshold

    def _heartbeat(self) -> Heartbeat:
        rounds, failed = self.breaker.rounds()
        metrics.record_failure_rate(rounds, failed)
        metrics.LANES.set(len(self.lanes.held))
        return Heartbeat(
            worker=self._settings.process,
            incarnation=self._settings.incarnation,
            circuit_breaker_state=self.breaker.state,
            lanes=self.lanes.held,
            rounds=rounds,
            failed_rounds=failed,
            committed_at=self.stats.committed_at,
            dead_letters=self.stats.dead_letters,
            dead_letters_recent=self.stats.dead_letters_recent,
            counted_at=self.stats.counted_at,
        )
