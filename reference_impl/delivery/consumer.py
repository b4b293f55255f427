"""The consumer of one lane: reads a batch from the head, commits it, then deletes it from the queue.

The lane's lock is a session lock of the connection that writes. A worker that loses its connection loses the lock and
cannot write, so two workers never write to the same lane, and no clock has to be trusted.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import suppress

import msgspec
import psycopg
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_impl import log
from reference_impl.dead_letters import model
from reference_impl.dead_letters.isolation import OWN_FAULT, Isolation
from reference_impl.dead_letters.model import Attempt, DeadLetter
from reference_impl.errors import BreakerOpenError, Failure, ShuttingDown, StoreError
from reference_impl.operations import metrics
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from reference_impl.resilience import background, error_classes
from reference_impl.resilience.backoff import retrying
from reference_impl.resilience.circuit_breaker import Attempts, Kind
from reference_impl.settings import Settings
from reference_impl.store import connections, evidence
from reference_impl.store.copy_row import Row, build
from reference_impl.store.writer import BatchResult, Store

#: Longest blocking wait for new entries, in seconds; a consumer notices within it that it should leave.
WAIT_S = 0.5
#: Part of the lease after which a consumer writes a heartbeat.
HEARTBEAT_SHARE = 0.25
#: Pause while the queue does not answer, in seconds.
QUEUE_AWAY_S = 0.5

Batch = list[Row] | DeadLetter


class WorkerStats(msgspec.Struct):
    """Counters of one worker, for its heartbeat and its alerts."""

    committed_at: float = 0.0  # UTC seconds of the last commit of a batch
    buried: int = 0  # dead letters written by this worker
    dead_letters: int = 0  # of all workers, at `counted_at`
    dead_letters_recent: int = 0  # within the window before `counted_at`
    counted_at: float = 0.0  # UTC seconds; a worker without a lane does not count


class LaneConsumer:
    """Consumes one lane, from the moment it is locked until the lane is given back."""

    def __init__(
        self, number: int, store: Store, redis: Redis, attempts: Attempts, stats: WorkerStats, settings: Settings
    ) -> None:
        self.number, self.redis, self.attempts, self.settings = number, redis, attempts, settings
        self._store, self._stats = store, stats
        self._leaving = asyncio.Event()
        self.sleep = background.sleeper(self._leaving)
        self._history: list[Attempt] = []
        self._heartbeat_at = 0.0
        self._not_before = 0.0

    async def run(self) -> None:
        """Deliver until `leave` is called or the store fails."""
        try:
            while not self._leaving.is_set():
                await self._step()
        except (StoreError, BreakerOpenError, ShuttingDown) as e:
            log.info("lane given back", lane=self.number, why=str(e))
        finally:
            await connections.close(self._store.connection)

    def leave(self) -> None:
        """Give the lane back after the current batch."""
        self._leaving.set()

    async def _step(self) -> None:
        if time.monotonic() >= self._heartbeat_at:
            async with self.attempts.attempt(Kind.HEARTBEAT):
                await self.heartbeat()
        if (left := self._not_before - time.monotonic()) > 0:
            await self.sleep(left)
        try:
            entries = await self.read_head()
            if not entries:
                return await streams.wait(self.redis, self.number, WAIT_S)
            self._not_before = time.monotonic() + self.linger(entries)
            await self.deliver(entries)
        except (RedisError, OSError) as e:
            log.warning("the queue does not answer", lane=self.number, type=type(e).__name__)
            await self.sleep(QUEUE_AWAY_S)

    async def read_head(self) -> list[Entry]:
        """The next batch; it stays in the queue."""
        return await streams.head(self.redis, self.number, self.settings.batch_size, self.settings.batch_bytes)

    def linger(self, entries: list[Entry]) -> float:
        """Seconds to wait after a batch that is not full: many tiny transactions cost more than a few."""
        return 0.0 if len(entries) >= self.settings.batch_size else self.settings.batch_linger_s

    async def deliver(self, entries: list[Entry], trial: bool = False) -> None:
        """Store the entries, then delete from the queue those that are committed; never in the other order."""
        began, batch = time.monotonic(), to_batch(entries, self.settings.hash_key)
        result = await (self.put(batch) if trial else self._put_until_stored(batch))
        if result.processed:
            self.record(result, time.monotonic() - began, time.time() - entries[0].accepted_at)
            await streams.remove(self.redis, self.number, entries[: result.processed])

    async def trial_batch(self) -> None:
        """The breaker's trial: commit the next batch, or an empty one with a heartbeat. Raises psycopg.Error."""
        entries: list[Entry] = []
        with suppress(RedisError, OSError):
            entries = await self.read_head()
        if entries:
            # a collision is the events' own; committed events that stay in the queue are delivered again
            with suppress(StoreError, RedisError, OSError):
                await self.deliver(entries, trial=True)
        else:
            await self._store.store([])
            await self.heartbeat()

    async def _put_until_stored(self, batch: Batch) -> BatchResult:
        """Retry collisions; after the last retry, isolate the event that still collides."""
        self._history = []
        try:
            return await retrying(self.settings, self._sleep_awake)(self._attempt, batch)
        except StoreError as e:
            if e.failure is not Failure.RETRY or isinstance(batch, DeadLetter):
                raise
        async with self.attempts.attempt(Kind.BATCH):
            return await Isolation(self._store, batch, OWN_FAULT | {Failure.RETRY}, self._history).run()

    async def _attempt(self, batch: Batch) -> BatchResult:
        async with self.attempts.attempt(Kind.BATCH):
            return await self.put(batch)

    async def put(self, batch: Batch) -> BatchResult:
        """Store the batch, or its rows up to the first poison. Raises psycopg.Error, or StoreError for a collision.

        A collision while the store commits an empty batch is the events' own and no failure of the store: otherwise
        one event that always collides would open the breaker for all lanes before its retries are used up.
        """
        try:
            return await self._put(batch)
        except psycopg.Error as e:
            if error_classes.classify(e, self.settings) is not Failure.RETRY:
                raise
            metrics.RETRIES.inc()
            self._history.append(Attempt(model.now(), Failure.RETRY.value, e.sqlstate))
            self._store.forget_partitions()  # a partition that was dropped meanwhile is such a collision
            if not await self._store.takes_a_batch():
                raise
            raise error_classes.to_store_error(e, self.settings) from None

    async def _put(self, batch: Batch) -> BatchResult:
        if isinstance(batch, DeadLetter):
            return await self._store.bury(batch)
        try:
            return await self._store.store(batch)
        except psycopg.Error as e:
            if error_classes.classify(e, self.settings) not in OWN_FAULT:
                raise
            return await Isolation(self._store, batch, OWN_FAULT, self._history).run()

    def record(self, result: BatchResult, took_s: float, age_s: float) -> None:
        """Count a committed batch."""
        self._stats.committed_at = time.time()
        self._stats.buried += result.dead
        metrics.record(result, took_s, age_s)
        if result.dead:
            self._heartbeat_at = 0.0  # the next step counts the dead letters

    async def heartbeat(self) -> None:
        """Commit a small write: the server ends idle sessions, and only a commit shows that the store works."""
        counts = await self._store.heartbeat(self.settings.process, self.number, self.settings.breaker_monitoring_s)
        self._stats.dead_letters, self._stats.dead_letters_recent = counts
        self._stats.counted_at = time.time()
        metrics.DEAD_LETTERS.set(counts[0])
        self._heartbeat_at = time.monotonic() + self.settings.lease_s * HEARTBEAT_SHARE

    async def _sleep_awake(self, seconds: float) -> None:
        """Sleep between retries, and keep the session alive meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await self.sleep(min(left, self.settings.lease_s * HEARTBEAT_SHARE))
            async with self.attempts.attempt(Kind.ACQUIRE):
                await self._store.keep_alive()


def to_batch(entries: list[Entry], key: str = "") -> Batch:
    """The rows before the first entry that is not an event; such an entry at the head becomes a dead letter."""
    rows = []
    for entry in entries:
        try:
            rows.append(build(entry, key))
        except (ValueError, msgspec.MsgspecError) as e:
            return rows or _undecodable(entry, e, key)
    return rows


def _undecodable(entry: Entry, error: Exception, key: str) -> DeadLetter:
    event = entry.field("event").encode()
    sealed = evidence.seal(hashlib.sha256(event).hexdigest(), key)
    history = [Attempt(model.now(), "undecodable", None)]
    location = model.error_location(error)
    return DeadLetter(entry.field("event_id"), event, sealed, "no event of ours", history, *location)
