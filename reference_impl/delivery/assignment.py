"""The lanes of one worker: it acquires its fair share, and gives every lane up while its breaker is open."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_impl import log
from reference_impl.delivery import lease
from reference_impl.delivery.consumer import QUEUE_AWAY_S, LaneConsumer, WorkerStats
from reference_impl.errors import BreakerOpenError, ShuttingDown, StoreError
from reference_impl.queue import streams
from reference_impl.resilience.circuit_breaker import Attempts, Kind
from reference_impl.resilience.states import CLOSED, HALF_OPEN, OPEN
from reference_impl.resilience.watchdog import Connection, bounded
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.gate import ConnectionGate
from reference_impl.store.handler import Handler
from reference_impl.store.writer import Store

#: Part of the lease after which the assignment is balanced again.
BALANCE_SHARE = 0.1


def fair_share(lanes: int, workers: int) -> int:
    """The most lanes that one of these workers may hold; the worker itself always counts."""
    return math.ceil(lanes / max(1, workers))


class LaneAssignment:
    """Acquires lanes and gives them back; each has a consumer in a task of its own."""

    def __init__(
        self, settings: Settings, redis: Redis, attempts: Attempts, workers: Callable[[], int], handle: Handler | None
    ) -> None:
        self.settings, self.redis, self.attempts, self.breaker = settings, redis, attempts, attempts.breaker
        self._workers, self._handle = workers, handle
        self.stats = WorkerStats()
        self.gate = ConnectionGate(settings, lambda: self.breaker.state, (CLOSED, HALF_OPEN))
        self.spare: Connection | None = None  # looks for a free lane; becomes the lane's own connection
        self._consumers: dict[LaneConsumer, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()  # a consumer ended, the breaker opened, or the worker stops
        self._stopping = False
        self.count = 0  # lanes in force

    @property
    def held(self) -> list[int]:
        """The numbers of the lanes that this worker holds."""
        return sorted(consumer.number for consumer in self._consumers)

    async def run(self) -> None:
        """Balance until the worker stops, then give every lane back after its current batch."""
        try:
            await self._read_lane_count()
            while not self._stopping:
                with suppress(StoreError, BreakerOpenError):  # counted already; the breaker decides the next step
                    await (self._balance() if self.breaker.state == CLOSED else self.wait_while_open())
        finally:
            await self._release_all()

    async def _read_lane_count(self) -> None:
        while not self.count:
            try:
                self.count = await streams.lanes_in_force(self.redis, self.settings.concurrency)
            except (RedisError, OSError) as e:
                log.warning("the queue does not answer", type=type(e).__name__)
                await self.attempts.sleep(QUEUE_AWAY_S)

    async def _balance(self) -> None:
        """One step towards the fair share; a failed consumer's lane is acquired again after a pause."""
        failed, share = self.collect_finished(), fair_share(self.count, self._workers())
        for surplus in list(self._consumers)[share:]:
            surplus.leave()
        if not failed and len(self._consumers) < share and await self.acquire_one():
            return
        if len(self._consumers) >= share:
            await self.close_spare()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.lease_s * BALANCE_SHARE):
                await self._changed.wait()
        self._changed.clear()

    def collect_finished(self) -> bool:
        """Forget the consumers that have ended; whether one of them failed unexpectedly."""
        failed = False
        for consumer, task in list(self._consumers.items()):
            if task.done():
                del self._consumers[consumer]
                if error := task.exception():
                    failed = True
                    log.unexpected("a lane's consumer failed", error, lane=consumer.number)
        return failed

    async def acquire_one(self) -> bool:
        """Start a consumer for a free lane; whether one was free. Raises StoreError or BreakerOpenError."""
        others = [lane for lane in range(self.count) if lane not in self.held]
        return await self._acquire(Kind.ACQUIRE, random.sample(others, len(others)))  # workers do not race for one lane

    async def wait_while_open(self) -> None:
        """Give up every lane and send nothing for the recovery time, then make one trial."""
        await self._release_all()
        if self.breaker.state == OPEN:
            await self.attempts.sleep(self.settings.breaker_recovery_timeout_s)
            self.breaker.half_open()
        await self.trial()

    async def trial(self) -> None:
        """Commit the next batch of a free lane, the deepest first, or else an empty batch."""
        lanes = list(range(self.count))
        with suppress(RedisError, OSError):
            depths = await streams.depths(self.redis, self.count)
            lanes.sort(key=depths.__getitem__, reverse=True)
        await self._acquire(Kind.BATCH, lanes)

    async def _acquire(self, kind: Kind, lanes: list[int]) -> bool:
        if self._stopping:
            raise ShuttingDown("shutting down")
        async with self.attempts.attempt(kind):
            try:
                connection = self.spare = self.spare or await self.gate.connect()
                consumer = await self.claim(connection, lanes)
                if kind is Kind.BATCH:
                    await (consumer.trial_batch() if consumer else self.probe_store(connection))
            except BaseException:
                await self.close_spare()
                raise
        if consumer:
            self.spare = None
            log.info("lane acquired", lane=consumer.number)
            self.start_consumer(consumer)
        return consumer is not None

    async def claim(self, connection: Connection, lanes: list[int]) -> LaneConsumer | None:
        """Lock the first free lane of these; if there is none, terminate stale holders for the next look."""
        with bounded(connection, self.settings.attempt_timeout_s):
            number = await lease.try_acquire(connection, lanes)
            if number is None:
                if sessions := await lease.terminate_stale_holder(connection, lanes, self.settings.lease_s):
                    log.warning("sessions of stale lane holders terminated", sessions=sessions)
                return None
        store = Store(connection, self.settings, self._handle, number)
        await store.prepare()
        return LaneConsumer(number, store, self.redis, self.attempts, self.stats, self.settings)

    async def probe_store(self, connection: Connection) -> None:
        """Commit everything that a batch needs, without an event: a heartbeat would pass while a table is locked."""
        store = Store(connection, self.settings)
        await store.prepare()
        await store.store([])
        await store.heartbeat(self.settings.process, -1, 1)

    def start_consumer(self, consumer: LaneConsumer) -> None:
        """Run it in a task of its own."""
        self._consumers[consumer] = task = asyncio.create_task(consumer.run())
        task.add_done_callback(lambda _: self._changed.set())

    def stop(self) -> None:
        """Make no new connection, and end every call to the store when the grace period is over."""
        self._stopping = True
        self._changed.set()
        asyncio.get_running_loop().call_later(self.settings.stop_grace_s, self.abort)

    def abort(self) -> None:
        """End every call to the store now, so that nothing more is sent."""
        for consumer in self._consumers:
            consumer.leave()
        self.gate.abort()
        self._changed.set()

    async def close_spare(self) -> None:
        """Close the connection that looks for a free lane."""
        if self.spare is not None:
            await connections.close(self.spare)
            self.spare = None

    async def _release_all(self) -> None:
        """Wait until every consumer has ended after its current batch: bounded, as each call to the store is."""
        for consumer in self._consumers:
            consumer.leave()
        await self.close_spare()
        if self._consumers:
            await asyncio.wait(self._consumers.values())
        self.collect_finished()
