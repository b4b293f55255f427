"""The worker: delivers from its share of the lanes to the store, and reports its health."""

import asyncio
from contextlib import suppress

import msgspec

from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.delivery.consumer import WAIT_S
from reference_impl.operations import maintenance, metrics
from reference_impl.operations.alerts import Alerts
from reference_impl.operations.health import HealthMonitor
from reference_impl.queue import heartbeats, streams
from reference_impl.resilience import background
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN, Breaker, Transitions
from reference_impl.settings import Settings
from reference_impl.store.connections import ConnectionGate
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
        self.breaker = Breaker(settings, self._transition, self.sleep)
        self.monitor = HealthMonitor(settings, self._redis, self.sleep)
        self._alerts, self._past_threshold = Alerts(settings), False
        workers, lanes = self.available_workers, lambda: self.monitor.snapshot.lanes
        self.lanes = LaneAssignment(self._redis, self.breaker, self._alerts, workers, lanes, handle)
        self.admin = ConnectionGate(settings, lambda: self.breaker.state)

    def start(self) -> None:
        """Begin to acquire lanes."""
        tasks = self.monitor.run, self._send_heartbeats, self.lanes.run, self._maintain
        self._running = asyncio.create_task(background.run_until_shutdown(self.stopping, *tasks))

    async def stop(self) -> None:
        """Finish the current batches and give the lanes back. Raises the error of a background task that failed."""
        self.stopping.set()
        self.lanes.stop()
        self.admin.abort()
        await asyncio.wait([self._running])
        await self._alerts.close()  # after the last batches
        with suppress(*streams.UNAVAILABLE):  # the heartbeat expires in any case
            await heartbeats.deregister(self._redis, self._settings.process)
        await self._redis.aclose()
        await self._running

    def _transition(self, before: str | None, after: str, reason: str) -> None:
        self.transitions.record(before, after, reason)
        if after == OPEN:
            self.lanes.abort()
            self.admin.abort()
            self._alerts.notify("breaker_open", reason)

    def available_workers(self) -> int:
        """The number of workers that can deliver, by the last snapshot; this one always counts."""
        others = [w for w in self.monitor.snapshot.workers if w.worker != self._settings.process]
        return 1 + sum(w.circuit_breaker_state == CLOSED for w in others)

    async def _maintain(self) -> None:
        await maintenance.run(self._settings, self.admin, self.sleep)

    async def _send_heartbeats(self) -> None:
        interval = min(LONGEST_INTERVAL_S, self._settings.lease_s / HEARTBEATS_PER_LEASE)
        while True:
            with suppress(*streams.UNAVAILABLE):  # /health and every lane report it
                await heartbeats.beat(self._redis, self._heartbeat(), self._settings.lease_s)
            self._alert_on_threshold()
            self._alerts.send_due()
            await self.sleep(interval)

    def _alert_on_threshold(self) -> None:
        threshold, before = self._settings.dead_letter_alert_threshold, self._past_threshold
        self._past_threshold = self.lanes.stats.dead_letters > threshold
        if self._past_threshold and not before:
            self._alerts.notify("dead_letters_past_threshold", f"there are more than {threshold} dead letters")

    def _heartbeat(self) -> heartbeats.Heartbeat:
        attempts, failures = self.breaker.window()
        metrics.FAILURE_RATE.set(failures / max(1, attempts))
        metrics.LANES.set(len(self.lanes.held))
        return heartbeats.Heartbeat(
            worker=self._settings.process,
            incarnation=self._settings.incarnation,
            circuit_breaker_state=self.breaker.state,
            lanes=self.lanes.held,
            rounds=attempts,
            failed_rounds=failures,
            **msgspec.structs.asdict(self.lanes.stats),
        )
