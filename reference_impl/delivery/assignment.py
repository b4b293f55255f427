"""The lanes of one worker: it acquires its fair share, and gives every lane up while its breaker is open."""

import asyncio
import math
import random
from collections.abc import Callable
from contextlib import suppress

from redis.asyncio import Redis

from reference_impl import log
from reference_impl.delivery import lease
from reference_impl.delivery.consumer import QUEUE_RETRY_S, LaneConsumer, WorkerStats
from reference_impl.errors import BreakerOpenError, ShuttingDown, StoreError
from reference_impl.operations.alerts import Alerts
from reference_impl.queue import streams
from reference_impl.resilience.circuit_breaker import CLOSED, HALF_OPEN, OPEN, Breaker, Kind
from reference_impl.store.connections import Connection, ConnectionGate, bounded, close
from reference_impl.store.handler import Handler
from reference_impl.store.writer import NO_LANE, Store

#: Part of the lease after which the assignment is balanced again.
BALANCE_SHARE = 0.1
#: A number by the last poll of the queue; 0 if it is unknown.
Polled = Callable[[], int]


def fair_share(lanes: int, workers: int) -> int:
    """The most lanes that one of these workers may hold; the worker itself always counts."""
    return math.ceil(lanes / max(1, workers))


class LaneAssignment:
    """Acquires lanes and gives them back; each has a consumer in a task of its own."""

    def __init__(
        self, redis: Redis, breaker: Breaker, alerts: Alerts, workers: Polled, lanes: Polled, handle: Handler | None
    ) -> None:
        self.settings, self.redis, self.breaker, self._alerts = breaker.settings, redis, breaker, alerts
        self._workers, self._lanes, self._handle = workers, lanes, handle
        self.stats = WorkerStats()
        self.gate = ConnectionGate(self.settings, lambda: self.breaker.state, (CLOSED, HALF_OPEN))
        self.spare: Connection | None = None  # looks for a free lane; becomes the lane's own connection
        self._consumers: dict[LaneConsumer, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()  # a consumer ended, the breaker opened, or the worker stops
        self._stopping = False
        self._failed = False  # a consumer ended by a defect: wait before its lane is acquired again
        self.count = 0  # lanes in force

    @property
    def held(self) -> list[int]:
        """The numbers of the lanes that this worker holds."""
        return sorted(consumer.number for consumer in self._consumers)

    async def run(self) -> None:
        """Balance until the worker stops, then give every lane back after its current batch."""
        try:
            while not self._stopping:
                try:
                    self.count = self.count or await streams.lanes_in_force(self.redis, self.settings.concurrency)
                    await (self._balance() if self.breaker.state == CLOSED else self.wait_while_open())
                except (StoreError, BreakerOpenError):
                    pass  # it is counted already, and the breaker decides the next step
                except streams.UNAVAILABLE as e:
                    log.warning("the queue does not answer", type=type(e).__name__)
                    await self.breaker.sleep(QUEUE_RETRY_S)
        finally:
            await self._release_all()

    async def _balance(self) -> None:
        """One step towards the fair share.

        A queue that has lost its data has the lane count of the first process that reaches it then.
        """
        if (count := self._lanes() or self.count) != self.count:
            log.warning("the lane count has changed", before=self.count, lanes=count)
            await self._release_all()
            self.count = count
        failed, self._failed, share = self._failed, False, fair_share(self.count, self._workers())
        for surplus in list(self._consumers)[share:]:
            surplus.leave()
        others = [lane for lane in range(self.count) if lane not in self.held]
        random.shuffle(others)  # so that workers do not race for one lane
        if not failed and len(self._consumers) < share and await self._acquire(Kind.ACQUIRE, others):
            return
        if len(self._consumers) >= share:
            await self.close_spare()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), self.settings.lease_s * BALANCE_SHARE)
        self._changed.clear()

    async def wait_while_open(self) -> None:
        """Give up every lane and send nothing for the recovery time, then make one trial."""
        await self._release_all()
        if self.breaker.state == OPEN:
            await self.breaker.sleep(self.settings.breaker_recovery_timeout_s)
            self.breaker.half_open()
        await self.trial()

    async def trial(self) -> None:
        """Commit the next batch of a free lane, the deepest first, or else an empty batch."""
        lanes = list(range(self.count))
        with suppress(*streams.UNAVAILABLE):
            depths = dict(enumerate(await streams.depths(self.redis, self.count)))
            lanes.sort(key=lambda lane: depths.get(lane, 0), reverse=True)  # the count may have just become smaller
        await self._acquire(Kind.BATCH, lanes)

    async def _acquire(self, kind: Kind, lanes: list[int]) -> bool:
        """Start a consumer for the first free lane of these; whether one was. Raises StoreError or BreakerOpenError."""
        if self._stopping:
            raise ShuttingDown("shutting down")
        async with self.breaker.attempt(kind):
            try:
                connection = self.spare = self.spare or await self.gate.connect()
                consumer = await self.claim(connection, lanes)
                if kind is Kind.BATCH:
                    await (consumer or await self._consumer(connection, NO_LANE)).trial_batch()
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
        return await self._consumer(connection, number)

    async def _consumer(self, connection: Connection, number: int) -> LaneConsumer:
        store = Store(connection, self.settings, self._handle, number)
        await store.prepare()
        return LaneConsumer(store, self.redis, self.breaker, self.stats, self._alerts)

    def start_consumer(self, consumer: LaneConsumer) -> None:
        """Run it in a task of its own."""
        self._consumers[consumer] = task = asyncio.create_task(consumer.run())
        task.add_done_callback(lambda task: self._forget(consumer, task.exception()))

    def _forget(self, consumer: LaneConsumer, error: BaseException | None) -> None:
        del self._consumers[consumer]
        if error:
            self._failed = True
            log.unexpected("a lane's consumer failed", error, lane=consumer.number)
        self._changed.set()

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
            await close(self.spare)
            self.spare = None

    async def _release_all(self) -> None:
        """Wait until every consumer has ended after its current batch: bounded, as each call to the store is."""
        for consumer in self._consumers:
            consumer.leave()
        await self.close_spare()
        while self._consumers:
            await asyncio.wait(self._consumers.values())
