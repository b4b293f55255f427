"""The lanes of one worker: it takes its fair share, gives surplus back, lets go of all while its breaker is open."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from contextlib import suppress

import psycopg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_impl import log
from reference_impl.delivery import lease as lock
from reference_impl.delivery.attempt import Attempts, Kind
from reference_impl.delivery.consumer import LaneConsumer, WorkerStats
from reference_impl.errors import BreakerOpenError, ShuttingDown, StoreError
from reference_impl.queue import streams as queue
from reference_impl.resilience.backoff import Sleep
from reference_impl.resilience.circuit_breaker import CLOSED, OPEN
from reference_impl.resilience.watchdog import Connection, bounded, shutdown_socket
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.handler import Handler
from reference_impl.store.writer import Store

#: Part of the lease after which the shares are looked at again.
BALANCE_SHARE = 0.1
#: Wait before the lane count is asked for again while the queue is away, in seconds.
QUEUE_AWAY_S = 0.5


def fair_share(lanes: int, workers: int) -> int:
    """Most lanes a worker may hold among so many workers that can deliver; itself is always one of them."""
    return math.ceil(lanes / max(1, workers))


class LaneAssignment:
    """Takes lanes and gives them up; each runs as a task of its own."""

    def __init__(
        self,
        settings: Settings,
        redis: Redis,
        attempts: Attempts,
        stats: WorkerStats,
        workers: Callable[[], int],
        sleep: Sleep,
        handle: Handler | None = None,
    ) -> None:
        self.settings, self.redis, self.attempts, self.stats = settings, redis, attempts, stats
        self._workers, self.sleep, self._handle = workers, sleep, handle
        self._held: dict[LaneConsumer, asyncio.Task[None]] = {}
        self.spare: Connection | None = None
        self._connecting = connections.Connecting(settings)
        self._stopping = False
        self.count = 0  # how many lanes there are

    @property
    def held(self) -> list[int]:
        """The numbers of the lanes in hand."""
        return sorted(lane.number for lane in self._held)

    async def run(self) -> None:
        """Balance until the worker stops; then finish or give back what is held."""
        try:
            await self._learn_count()
            while True:
                await self._step()
        except ShuttingDown:
            pass
        finally:
            await self._release_all()

    async def _learn_count(self) -> None:
        while not self.count:
            try:
                self.count = await queue.lanes_in_force(self.redis, self.settings.concurrency)
            except (RedisError, OSError) as e:
                log.warning("the queue does not answer", type=type(e).__name__)
                await self.sleep(QUEUE_AWAY_S)

    async def _step(self) -> None:
        try:
            if self.attempts.breaker.state == CLOSED:
                await self._balance()
            else:
                await self.wait_while_open()
        except (StoreError, BreakerOpenError):
            pass  # counted where it was raised; the breaker decides what comes next

    async def _balance(self) -> None:
        """One step towards the fair share."""
        defect = self.collect_finished()
        share = fair_share(self.count, self._workers())
        for lane in list(self._held)[share:]:
            lane.leave()
        if not defect and len(self._held) < share and await self.acquire_one():
            return
        if len(self._held) >= share:
            await self.close_spare()
        await self._rest()

    async def _rest(self) -> None:
        """Wait for the next look, or for a lane to end, or for the breaker."""
        self.attempts.breaker.changed.clear()
        changed = asyncio.ensure_future(self.attempts.breaker.changed.wait())
        nap = asyncio.ensure_future(self.sleep(self.settings.lease_s * BALANCE_SHARE))
        await asyncio.wait([changed, nap, *self._held.values()], return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        if nap.done():
            nap.result()  # raises ShuttingDown
        nap.cancel()

    def collect_finished(self) -> bool:
        """Forget the lanes that ended. One that ended by a defect is told of, and taken anew after a rest."""
        defect = False
        for lane, task in list(self._held.items()):
            if task.done():
                del self._held[lane]
                if error := task.exception():
                    defect = True
                    log.unexpected("a lane ended by a defect", error, lane=lane.number)
        return defect

    async def acquire_one(self) -> bool:
        """Take a free lane on a connection that becomes its own; end a silent holder when there is none."""
        async with self.attempts.attempt(Kind.ACQUIRE):
            # the scout's until it is a lane's, so that it is cut whatever it waits for
            connection = self.spare = self.spare or await self.connect()
            try:
                self._refuse_unless_closed()  # it may have opened just now
                lane = await self.claim(connection, self._wanted())
                self._refuse_unless_closed()
            except BaseException:
                await self.close_spare()
                raise
            self.spare = None if lane else connection
        if lane:
            self.start_consumer(lane)
        return lane is not None

    def _wanted(self) -> list[int]:
        """The lanes of others, in an order of our own: two workers that start at once do not race for the same."""
        others = [n for n in range(self.count) if n not in self.held]
        return random.sample(others, len(others))

    async def claim(self, connection: Connection, wanted: list[int]) -> LaneConsumer | None:
        with bounded(connection, self.settings.attempt_timeout_s):
            number = await lock.try_acquire(connection, wanted)
            if number is None:
                if ended := await lock.terminate_stale_holder(connection, wanted, self.settings.lease_s):
                    log.warning("silent holders of lanes were ended", sessions=ended)
                return None
        store = Store(connection, self.settings, self._handle, number)
        await store.prepare()
        return LaneConsumer(number, store, self.redis, self.attempts, self.stats, self.settings)

    def start_consumer(self, lane: LaneConsumer) -> None:
        log.info("lane taken", lane=lane.number)
        self._held[lane] = asyncio.create_task(lane.run())

    async def wait_while_open(self) -> None:
        """The breaker is open: let go of everything, send nothing, wait; then try once."""
        await self._drop_all()
        if self.attempts.breaker.state == OPEN:
            await self.sleep(self.settings.breaker_recovery_timeout_s)
            self.attempts.breaker.half_open()
        lane = await self.trial()
        self.attempts.recovered()
        if lane:
            self.start_consumer(lane)

    async def trial(self) -> LaneConsumer | None:
        """The one trial: a bare connection that commits a free lane's next batch, else an empty one."""
        deepest_first = await self._deepest_first()
        async with self.attempts.attempt(Kind.BATCH):
            connection = self.spare = await self.connect()
            try:
                lane = await self.claim(connection, deepest_first)
                if lane:
                    await lane.trial_batch()
                    self.spare = None  # it is the lane's now
                    return lane
                await self.probe_store(Store(connection, self.settings))
            finally:
                await self.close_spare()
            return None

    async def probe_store(self, store: Store) -> None:
        """All that a batch asks of the store, for no event: a beat would pass while the table is locked."""
        await store.prepare()
        await store.store([])
        await store.beat(self.settings.process, -1, 1)

    async def _deepest_first(self) -> list[int]:
        """All lanes, those with work first: a beat on an idle lane would not prove what a batch needs."""
        try:
            depths = (await queue.depths(self.redis, self.count))[: self.count]
        except (RedisError, OSError):
            return self._wanted()
        return sorted(range(len(depths)), key=depths.__getitem__, reverse=True)

    def stop(self) -> None:
        """Make no connection from now on, and end every call to the store when the grace is over."""
        self._stopping = True
        asyncio.get_running_loop().call_later(self.settings.stop_grace_s, self.abort)

    def abort(self) -> None:
        """The breaker opens, or the grace is over: end every call to the store now, so that nothing more is sent."""
        for lane in self._held:
            lane.drop()
        if self.spare is not None:
            shutdown_socket(self.spare)
        self._connecting.cut()

    async def connect(self) -> Connection:
        """Connect, unless the breaker opens meanwhile. Raises ShuttingDown once told to stop."""
        if self._stopping:
            raise ShuttingDown("told to stop")
        return await self._connecting.connect()

    def _refuse_unless_closed(self) -> None:
        if self.attempts.breaker.state != CLOSED:
            raise BreakerOpenError("the breaker opened while a lane was taken")

    async def _drop_all(self) -> None:
        self.abort()
        await self.close_spare()
        await self._gone()

    async def _release_all(self) -> None:
        """Finish the batches at hand within the grace; what is not committed by then is given back."""
        for lane in self._held:
            lane.leave()
        await self.close_spare()
        if self._held:
            await asyncio.wait(self._held.values(), timeout=self.settings.stop_grace_s)
        self.abort()
        await self._gone()

    async def _gone(self) -> None:
        """Wait until every lane has ended; each of its calls is bounded, so this is too."""
        if self._held:
            await asyncio.wait(self._held.values())
        self.collect_finished()

    async def close_spare(self) -> None:
        if self.spare is not None:
            with suppress(psycopg.Error):  # a connection that cannot be closed is closed already
                await connections.close(self.spare)
            self.spare = None
