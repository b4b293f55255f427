"""A lane in somebody's hands: read from the head, commit, then delete, for as long as the lock is held.

The lock is a session lock of the very connection that writes. Who has lost the connection cannot write any more, so
two workers never write one lane at once, and no clock has to be trusted.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
import psycopg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_impl import log
from reference_impl.dead_letters import model
from reference_impl.dead_letters.isolation import OWN_FAULT, Isolation
from reference_impl.dead_letters.model import Attempt, DeadLetter
from reference_impl.delivery.attempt import Attempts, Kind
from reference_impl.errors import BreakerOpenError, Failure, ShuttingDown, StoreError
from reference_impl.operations import metrics
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from reference_impl.resilience import background, error_classes
from reference_impl.resilience.backoff import retrying
from reference_impl.resilience.watchdog import shutdown_socket
from reference_impl.settings import Settings
from reference_impl.store import connections, evidence
from reference_impl.store.copy_row import Row, build
from reference_impl.store.writer import BatchResult, Store

#: Longest blocking wait for new entries, in seconds: as long as a lane may take to notice that it shall leave.
WAIT_S = 0.5
#: Part of the lease after which a lane beats.
BEAT_SHARE = 0.25
#: Wait while the queue does not answer, in seconds.
QUEUE_AWAY_S = 0.5

Batch = list[Row] | DeadLetter
Put = Callable[[Batch], Awaitable[BatchResult]]


class WorkerStats(msgspec.Struct):
    """What a worker tells of its deliveries."""

    committed_at: float = 0.0  # UTC seconds of the last commit of a batch
    buried: int = 0  # by this worker
    dead_letters: int = 0  # of all workers, at `counted_at`
    dead_letters_recent: int = 0  # of the window before that
    counted_at: float = 0.0  # UTC seconds; who holds no lane counts no more


class LaneConsumer:
    """One tenure of one lane."""

    def __init__(
        self, number: int, store: Store, redis: Redis, attempts: Attempts, stats: WorkerStats, settings: Settings
    ) -> None:
        self.number = number
        self._store, self.redis, self.attempts = store, redis, attempts
        self.stats, self.settings = stats, settings
        self._leave = asyncio.Event()
        self.sleep = background.sleeper(self._leave)
        self._history: list[Attempt] = []
        self._beat_at = 0.0
        self.not_before = 0.0

    async def run(self) -> None:
        """Deliver until told to leave, or until the store fails."""
        try:
            while not self._leave.is_set():
                await self._step()
        except (StoreError, BreakerOpenError, ShuttingDown) as e:
            log.info("lane left", lane=self.number, why=str(e))
        finally:
            await connections.close(self._store.connection)

    def leave(self) -> None:
        """Give the lane back after the batch at hand."""
        self._leave.set()

    def drop(self) -> None:
        """Give it up at once: whatever is under way fails, and nothing more is sent."""
        self._leave.set()
        shutdown_socket(self._store.connection)

    async def _step(self) -> None:
        await self.beat_if_due()
        if (left := self.not_before - time.monotonic()) > 0:
            await self.sleep(left)
        try:
            entries = await self.read_head()
            if not entries:
                return await streams.wait(self.redis, self.number, WAIT_S)
            self.linger(entries)
            await self.deliver(entries, self._round)
        except (RedisError, OSError) as e:
            log.warning("the queue does not answer", lane=self.number, type=type(e).__name__)
            await self.sleep(QUEUE_AWAY_S)

    async def read_head(self) -> list[Entry]:
        return await streams.head(self.redis, self.number, self.settings.batch_size, self.settings.batch_bytes)

    def linger(self, entries: list[Entry]) -> None:
        """A batch that is not full is followed by a linger: many tiny transactions cost more than a few."""
        full = len(entries) >= self.settings.batch_size
        self.not_before = time.monotonic() + (0 if full else self.settings.batch_linger_s)

    async def deliver(self, entries: list[Entry], put: Put) -> None:
        """Store from the head, then delete what is committed. Never the other way round."""
        began = time.monotonic()
        tally = await put(to_batch(entries, self.settings.hash_key))
        if not tally.processed:
            return
        self.record(tally, time.monotonic() - began, time.time() - entries[0].accepted_at)
        await streams.remove(self.redis, self.number, entries[: tally.processed])

    async def trial_batch(self) -> None:
        """The trial of a breaker: the lane's next batch, else an empty one and a beat. Raises psycopg.Error."""
        try:
            entries = await self.read_head()
        except (RedisError, OSError):
            entries = []
        if entries:
            with suppress(RedisError, OSError):  # of the delete alone, once all is committed: it is delivered again
                await self.deliver(entries, self._put_in_trial)
        else:
            await self._store.store([])
            await self.heartbeat()

    async def _round(self, batch: Batch) -> BatchResult:
        """Attempts until the batch is in; after the last retry the event that still collides is looked for."""
        self._history = []
        try:
            return await retrying(self.settings, self._sleep_awake)(self._judged_put, batch)
        except StoreError as e:
            if e.failure is not Failure.RETRY or isinstance(batch, DeadLetter):
                raise
        async with self.attempts.attempt(Kind.BATCH):
            return await Isolation(self._store, batch, OWN_FAULT | {Failure.RETRY}, self._history).run()

    async def _judged_put(self, batch: Batch) -> BatchResult:
        async with self.attempts.attempt(Kind.BATCH):
            tried = await self._tried(batch)
        if isinstance(tried, StoreError):
            raise tried
        return tried

    async def _put_in_trial(self, batch: Batch) -> BatchResult:
        tried = await self._tried(batch)
        return BatchResult() if isinstance(tried, StoreError) else tried

    async def _tried(self, batch: Batch) -> BatchResult | StoreError:
        """Store it. A collision while the store takes an empty batch is the events' own: told, but no failed round.

        Else one event that always collides would open the breaker of all lanes, before its retries are used up.
        """
        try:
            return await self.put(batch)
        except psycopg.Error as e:
            if error_classes.classify(e, self.settings) is not Failure.RETRY or not await self._store.takes_a_batch():
                raise
            return error_classes.to_store_error(e, self.settings)

    async def put(self, batch: Batch) -> BatchResult:
        """Store all of it, or up to the first poison. Raises psycopg.Error."""
        if isinstance(batch, DeadLetter):
            return await self._store.bury(batch)
        try:
            return await self._store.store(batch)
        except psycopg.Error as e:
            failure = error_classes.classify(e, self.settings)
            if failure in OWN_FAULT:
                return await Isolation(self._store, batch, OWN_FAULT, self._history).run()
            if failure is Failure.RETRY:
                self._collided(e)
            raise

    def _collided(self, error: psycopg.Error) -> None:
        metrics.RETRIES.inc()
        self._store.forget_partitions()  # one that was dropped meanwhile is such a collision
        self._history.append(Attempt(model.now(), Failure.RETRY.value, error.sqlstate))

    def record(self, tally: BatchResult, took_s: float, age_s: float) -> None:
        self.stats.committed_at = time.time()
        self.stats.buried += tally.dead
        metrics.record(tally, took_s, age_s)
        if tally.dead:
            self._beat_at = 0.0  # so that the next step counts them

    async def beat_if_due(self) -> None:
        """Commit a small write each quarter of a lease: an idle session would be ended, and proves nothing."""
        if time.monotonic() >= self._beat_at:
            async with self.attempts.attempt(Kind.HEARTBEAT):
                await self.heartbeat()

    async def heartbeat(self) -> None:
        counts = await self._store.beat(self.settings.process, self.number, self.settings.breaker_monitoring_s)
        self.stats.dead_letters, self.stats.dead_letters_recent = counts
        self.stats.counted_at = time.time()
        metrics.DEAD_LETTERS.set(counts[0])
        self._beat_at = time.monotonic() + self.settings.lease_s * BEAT_SHARE

    async def _sleep_awake(self, seconds: float) -> None:
        """Sleep between retries without letting the session time out."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await self.sleep(min(left, self.settings.lease_s * BEAT_SHARE))
            async with self.attempts.attempt(Kind.ACQUIRE):
                await self._store.touch()


def to_batch(entries: list[Entry], key: str = "") -> Batch:
    """The rows from the head up to an entry that is no event of ours; such an entry at the head is a dead letter."""
    rows = []
    for entry in entries:
        try:
            rows.append(build(entry, key))
        except (ValueError, msgspec.MsgspecError) as e:
            return rows or _foreign(entry, e, key)
    return rows


def _foreign(entry: Entry, error: Exception, key: str) -> DeadLetter:
    event = entry.field("event").encode()
    sealed = evidence.seal(hashlib.sha256(event).hexdigest(), key)
    attempt = Attempt(model.now(), "undecodable", None)
    why = "no event of ours", [attempt], *model.error_location(error)
    return DeadLetter(entry.field("event_id"), event, sealed, *why)
