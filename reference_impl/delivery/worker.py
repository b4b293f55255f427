"""The worker: delivers from its share of the lanes to the store, and reports its health."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.delivery.consumer import WAIT_S
from reference_impl.operations import metrics
from reference_impl.operations.admin_connections import AdminConnections
from reference_impl.operations.alerts import Alerts
from reference_impl.operations.maintenance import Maintenance
from reference_impl.operations.monitor import HealthMonitor
from reference_impl.queue import heartbeats, streams
from reference_impl.queue.heartbeats import QUEUE_AWAY, Heartbeat
from reference_impl.resilience import background
from reference_impl.resilience.circuit_breaker import Attempts, Breaker
from reference_impl.resilience.states import CLOSED, OPEN
from reference_impl.resilience.transition_log import Transitions
from reference_impl.settings import Settings
from reference_impl.store.handler import Handler

#: Heartbeats within a lease, and the longest interval between two, in seconds.
HEARTBEATS_PER_LEASE, LONGEST_INTERVAL_S = 20, 0.5


class Worker:
    """One worker: `start`, then `stop`."""

    def __init__(self, settings: Settings, handle: Handler | None = None) -> None:
        self._settings = settings
        self.stopping = asyncio.Event()  # set by `stop`, and when a background task fails
        self.sleep = background.sleeper(self.stopping)
        self._redis = streams.connect(settings.redis_url, settings.enqueue_timeout_s + WAIT_S)
        self.transitions = Transitions(settings.state_dir, settings.process, settings.incarnation)
        self.breaker = Breaker(settings, self._transition)
        self.monitor = HealthMonitor(settings, self._redis, self.sleep)
        attempts = Attempts(self.breaker, settings, self.sleep)
        self.lanes = LaneAssignment(settings, self._redis, attempts, self.available_workers, handle)
        self.admin = AdminConnections(settings, lambda: self.breaker.state)
        self._alerts = Alerts(settings, self.sleep)
        self._alerted, self._past_threshold = 0, False
        self._maintenance = Maintenance(settings, self.admin, self.sleep)

    def start(self) -> None:
        """Begin to acquire lanes."""
        tasks = self.monitor.run, self._send_heartbeats, self.lanes.run, self._maintenance.run
        self._running = asyncio.create_task(background.run_until_shutdown(self.stopping, *tasks))

    async def stop(self) -> None:
        """Finish the current batches and give the lanes back. Raises the error of a background task that failed."""
        self.stopping.set()
        self.lanes.stop()
        self.admin.abort()
        await asyncio.wait([self._running])
        self._alert_on_dead_letters()  # also for those of the last batches
        await self._alerts.close()
        with suppress(*QUEUE_AWAY):  # the heartbeat expires in any case
            await heartbeats.deregister(self._redis, self._settings.process)
        await self._redis.aclose()
        await self._running

    def _transition(self, before: str | None, after: str, reason: str) -> None:
        self.transitions.record(before, after, reason)
        metrics.record_transition(before, after)
        if after == OPEN:
            self.lanes.abort()
            self.admin.abort()
            self._alerts.notify("breaker_open", reason)

    def available_workers(self) -> int:
        """The number of workers that can deliver, by the last snapshot; this one always counts."""
        others = [w for w in self.monitor.snapshot.workers if w.worker != self._settings.process]
        return 1 + sum(w.circuit_breaker_state == CLOSED for w in others)

    async def _send_heartbeats(self) -> None:
        interval = min(LONGEST_INTERVAL_S, self._settings.lease_s / HEARTBEATS_PER_LEASE)
        while True:
            with suppress(*QUEUE_AWAY):  # /health and every lane report it
                await heartbeats.beat(self._redis, self._heartbeat(), self._settings.lease_s)
            self._alert_on_dead_letters()
            await self.sleep(interval)

    def _alert_on_dead_letters(self) -> None:
        """Alert on dead letters that this worker has written, and when their total passes the threshold."""
        stats, threshold = self.lanes.stats, self._settings.dead_letter_alert_threshold
        if written := stats.buried - self._alerted:
            self._alerted = stats.buried
            self._alerts.notify("dead_letter", "events went to the dead letters", written)
        if stats.dead_letters > threshold and not self._past_threshold:
            self._alerts.notify("dead_letters_past_threshold", f"there are more than {threshold} dead letters")
        self._past_threshold = stats.dead_letters > threshold

    def _heartbeat(self) -> Heartbeat:
        (attempts, failures), stats = self.breaker.window(), self.lanes.stats
        metrics.record_failure_rate(attempts, failures)
        metrics.LANES.set(len(self.lanes.held))
        return Heartbeat(
            worker=self._settings.process,
            incarnation=self._settings.incarnation,
            circuit_breaker_state=self.breaker.state,
            lanes=self.lanes.held,
            rounds=attempts,
            failed_rounds=failures,
            committed_at=stats.committed_at,
            dead_letters=stats.dead_letters,
            dead_letters_recent=stats.dead_letters_recent,
            counted_at=stats.counted_at,
        )
