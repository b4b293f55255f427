"""The consumer of one lane: reads a batch from the head, commits it, then deletes it from the queue.

The lane's lock is a session lock of the connection that writes. A worker that loses its connection loses the lock and
cannot write, so two workers never write to the same lane, and no clock has to be trusted.
"""

import asyncio
import hashlib
import time
from contextlib import suppress

import msgspec
import psycopg
from redis.asyncio import Redis

from reference_impl import log
from reference_impl.dead_letters.isolation import OWN_FAULT, Isolation
from reference_impl.dead_letters.repository import Attempt, DeadLetter
from reference_impl.errors import BreakerOpenError, Failure, ShuttingDown, StoreError
from reference_impl.operations import metrics
from reference_impl.operations.alerts import Alerts
from reference_impl.queue import streams
from reference_impl.resilience import background, error_classes
from reference_impl.resilience.background import retrying
from reference_impl.resilience.circuit_breaker import Breaker, Kind
from reference_impl.store import connections
from reference_impl.store.copy_row import NOT_AN_EVENT, Row, build, seal
from reference_impl.store.writer import BatchResult, Store

#: Longest blocking wait for new entries, in seconds; a consumer notices within it that it should leave.
WAIT_S = 0.5
#: Part of the lease after which a consumer writes a heartbeat.
HEARTBEAT_SHARE = 0.25
#: Pause while the queue does not answer, in seconds.
QUEUE_RETRY_S = 0.5

Batch = list[Row] | DeadLetter


class WorkerStats(msgspec.Struct):
    """Counters of one worker, for its heartbeat."""

    committed_at: float = 0.0  # UTC seconds of the last commit of a batch
    dead_letters: int = 0  # of all workers, at `counted_at`
    dead_letters_recent: int = 0  # within the window before `counted_at`
    counted_at: float = 0.0  # UTC seconds; a worker without a lane does not count


class LaneConsumer:
    """Consumes the lane of its store, from the moment it is locked until it is given back."""

    def __init__(self, store: Store, redis: Redis, breaker: Breaker, stats: WorkerStats, alerts: Alerts) -> None:
        self.number, self.settings, self.redis, self.breaker = store.lane, store.settings, redis, breaker
        self._store, self._stats, self._alerts = store, stats, alerts
        self._leaving = asyncio.Event()
        self.sleep = background.sleeper(self._leaving)
        self._history: list[Attempt] = []  # of the batch
        self._heartbeat_at = self._not_before = 0.0

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
        await self._keep_alive()
        if (left := self._not_before - time.monotonic()) > 0:
            await self.sleep(left)
        try:
            entries = await self.read_head()
            if not entries:
                return await streams.wait(self.redis, self.number, WAIT_S)
            self._not_before = time.monotonic() + self.linger(entries)
            await self.deliver(entries)
        except streams.UNAVAILABLE as e:
            log.warning("the queue does not answer", lane=self.number, type=type(e).__name__)
            await self.sleep(QUEUE_RETRY_S)

    async def read_head(self) -> list[streams.Entry]:
        """The next batch; it stays in the queue."""
        return await streams.head(self.redis, self.number, self.settings.batch_size, self.settings.batch_bytes)

    def linger(self, entries: list[streams.Entry]) -> float:
        """Seconds to wait after a batch that is not full: many tiny transactions cost more than a few."""
        return 0.0 if len(entries) >= self.settings.batch_size else self.settings.batch_linger_s

    async def deliver(self, entries: list[streams.Entry], trial: bool = False) -> None:
        """Store the entries, then delete from the queue those that are committed; never in the other order."""
        began, batch, self._history = time.monotonic(), to_batch(entries, self.settings.hash_key), []
        retry = retrying(self.settings, self._sleep_awake)
        result = await (self.put(batch) if trial else retry(self._attempt, batch))
        if result.processed:
            self.record(result, time.monotonic() - began, time.time() - entries[0].accepted_at)
            await streams.remove(self.redis, self.number, entries[: result.processed])

    async def trial_batch(self) -> None:
        """The breaker's trial: commit the next batch, or an empty one with a heartbeat. Raises psycopg.Error.

        A heartbeat alone would pass while a table is locked.
        """
        entries: list[streams.Entry] = []
        with suppress(*streams.UNAVAILABLE):
            entries = await self.read_head()
        if entries:
            # a collision is the events' own; committed events that stay in the queue are delivered again
            with suppress(StoreError, *streams.UNAVAILABLE):
                await self.deliver(entries, trial=True)
        else:
            await self._store.store([])
            await self.heartbeat()

    async def _attempt(self, batch: Batch) -> BatchResult:
        async with self.breaker.attempt(Kind.BATCH):
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
            self._history.append(Attempt(Failure.RETRY.value, e.sqlstate))
            self._store.months.clear()  # a partition that was dropped meanwhile is such a collision
            if not await self._store.takes_a_batch():
                raise
            raise error_classes.to_store_error(e, self.settings) from None

    async def _put(self, batch: Batch) -> BatchResult:
        """The last retry isolates an event that still collides."""
        if isinstance(batch, DeadLetter):
            return await self._store.insert_dead_letter(batch)
        last = len(self._history) >= self.settings.max_retries
        suspected = OWN_FAULT | {Failure.RETRY} if last else OWN_FAULT
        try:
            return await self._store.store(batch)
        except psycopg.Error as e:
            if error_classes.classify(e, self.settings) not in suspected:
                raise
            return await Isolation(self._store, batch, suspected, self._history).run()

    def record(self, result: BatchResult, took_s: float, age_s: float) -> None:
        """Count a committed batch: how long it took, and how old its oldest event is."""
        self._stats.committed_at = time.time()
        if result.dead:
            self._alerts.notify("dead_letter", "events went to the dead letters", result.dead)
            self._heartbeat_at = 0.0  # the next step counts the dead letters
        metrics.STORED.inc(result.stored)
        metrics.REPEATED.inc(result.duplicates)
        metrics.CONFLICTS.inc(result.conflicts)
        metrics.DEAD.inc(result.dead)
        metrics.BATCH_SIZE.observe(result.processed)
        metrics.BATCH_S.observe(took_s)
        metrics.AGE_S.observe(age_s)

    async def heartbeat(self) -> None:
        """Commit a small write: the server ends idle sessions, and only a commit shows that the store works."""
        self._stats.dead_letters, self._stats.dead_letters_recent = await self._store.heartbeat()
        self._stats.counted_at = time.time()
        metrics.DEAD_LETTERS.set(self._stats.dead_letters)
        self._heartbeat_at = time.monotonic() + self.settings.lease_s * HEARTBEAT_SHARE

    async def _keep_alive(self) -> None:
        """Write a heartbeat when it is due."""
        if time.monotonic() >= self._heartbeat_at:
            async with self.breaker.attempt(Kind.HEARTBEAT):
                await self.heartbeat()

    async def _sleep_awake(self, seconds: float) -> None:
        """Sleep between retries, and keep the session alive meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await self.sleep(min(left, self.settings.lease_s * HEARTBEAT_SHARE))
            await self._keep_alive()


def to_batch(entries: list[streams.Entry], key: str = "") -> Batch:
    """The rows before the first entry that is not an event; such an entry at the head becomes a dead letter."""
    rows = []
    for entry in entries:
        try:
            rows.append(build(entry, key))
        except NOT_AN_EVENT as e:
            return rows or _undecodable(entry, e, key)
    return rows


def _undecodable(entry: streams.Entry, error: Exception, key: str) -> DeadLetter:
    event = entry.field("event").encode()
    sealed, history = seal(hashlib.sha256(event).hexdigest(), key), [Attempt("undecodable", None)]
    return DeadLetter(entry.field("event_id"), event, sealed, "no event of ours", history, error)
