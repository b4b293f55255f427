"""The store: a batch is one transaction. What it has committed is stored once, whatever was delivered twice."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import msgspec
import psycopg

from reference_impl.dead_letters import model, repository
from reference_impl.dead_letters.model import DeadLetter
from reference_impl.resilience.watchdog import Connection, bounded
from reference_impl.settings import Settings
from reference_impl.store import evidence, handler, partitions
from reference_impl.store.connections import STATEMENT_SHARE
from reference_impl.store.copy_row import COLUMNS, Row
from reference_impl.store.handler import Handler

#: Longest that a lock may hold up the proof that the store takes batches, in milliseconds: one has just waited for it.
PROOF_LOCK_MS = 200

STAGING = """
create temp table if not exists audit_staging (
    ordinal integer, event_id uuid, timestamp timestamptz, action text, status text, principal_id text,
    organization_id text, target_resource_type text, target_resource_id text, outcome_description text, ttl bigint,
    correlation_id text, data_classification text, retention_policy text, event_version text, details jsonb, hash bytea,
    received_ms double precision
) on commit delete rows
"""
COPY = f"copy audit_staging (ordinal, {COLUMNS}) from stdin"

#: `fresh` has each id once, the first delivered; `won` are those that nobody stored before. Sorted by id, so that two
#: lanes that hold the same ids never wait for each other in a circle. Positions are drawn in queue order.
_NEW = """
with fresh as materialized (
    select distinct on (event_id) * from audit_staging order by event_id, ordinal
), won as (
    insert into audit_event_key (event_id, hash) select event_id, hash from fresh order by event_id
    on conflict do nothing returning event_id
)
"""
_CLAIM = f"{_NEW} select ordinal from fresh join won using (event_id) order by ordinal"
INSERT = f"""{_NEW}, stored as (
insert into audit_log (
    id, position, event_id, timestamp, action, status, principal_id, organization_id, target_resource_type,
    target_resource_id, outcome_description, ttl, correlation_id, data_classification, retention_policy, event_version,
    details, hash, processing_latency
)
select n, n, event_id, timestamp, action, status, principal_id, organization_id, target_resource_type,
    target_resource_id, outcome_description, ttl, correlation_id, data_classification, retention_policy, event_version,
    details, hash,
    greatest(0, (select 1000 * extract(epoch from statement_timestamp())::double precision) - received_ms)
from (
    select nextval('audit_position') as n, ordered.*
    from (select fresh.* from fresh join won using (event_id) order by ordinal) as ordered
) as positioned
returning {evidence.NUMBER} as number
), {evidence.ADD}
select rows from measured
"""

_CONFLICTS = """
select ordinal, kept.hash from audit_staging staged join audit_event_key kept using (event_id)
where staged.hash <> kept.hash order by ordinal
"""
_KEEP_CONFLICT = """
insert into audit_conflict (event_id, hash, kept_hash, event)
select %s, decode(%s, 'hex'), %s, %s
where not exists (select 1 from audit_conflict where event_id = %s and hash = decode(%s, 'hex'))
"""
_BEAT = """
insert into audit_beat (worker, lane, beaten_at) values (%s, %s, now())
on conflict (worker, lane) do update set beaten_at = excluded.beaten_at
returning (select count(*) from audit_dead_letter),
          (select count(*) from audit_dead_letter where last_failed_at > now() - make_interval(secs => %s))
"""


class BatchResult(msgspec.Struct):
    """What became of the rows that were offered."""

    stored: int = 0
    duplicates: int = 0  # already stored, or dead
    conflicts: int = 0  # of the duplicates: with other content
    dead: int = 0

    @property
    def processed(self) -> int:
        """How many rows from the head are dealt with and may leave the queue."""
        return self.stored + self.duplicates + self.dead

    def add(self, other: BatchResult) -> None:
        """Count another part of the same batch."""
        self.stored += other.stored
        self.duplicates += other.duplicates
        self.conflicts += other.conflicts
        self.dead += other.dead


class Store:
    """The store as one lane's connection reaches it. Every method is bounded; each raises psycopg.Error."""

    def __init__(
        self, connection: Connection, settings: Settings, handle: Handler | None = None, lane: int = evidence.REST
    ) -> None:
        self.connection, self.settings, self._lane = connection, settings, lane
        self._handle = handle
        self._months: set[str] = set()

    def bounded(self) -> AbstractContextManager[None]:
        """The watchdog of one attempt."""
        return bounded(self.connection, self.settings.attempt_timeout_s)

    async def prepare(self) -> None:
        """Make what batches are staged in: this session's own."""
        with self.bounded():
            await self.connection.execute(STAGING)

    async def store(self, rows: Sequence[Row]) -> BatchResult:
        """One transaction: all rows or none."""
        await self.make_partitions(rows)
        with self.bounded():
            async with self.connection.transaction():
                return await self.insert(rows)

    async def takes_a_batch(self) -> bool:
        """Whether it commits an empty one now: all that a batch asks of the store, for no event.

        Of a handler it asks nothing: whom that calls may be away.
        """
        if self._handle is not None:
            return False
        try:
            with self.bounded():
                async with self.connection.transaction():
                    await self.connection.execute(f"set local lock_timeout = {PROOF_LOCK_MS}")
                    await self.insert([])
        except psycopg.Error:
            return False
        return True

    async def insert(self, rows: Sequence[Row]) -> BatchResult:
        """Stage and insert these rows within the caller's transaction."""
        await self._stage(rows)
        stored = await self._insert_staged(rows)
        tally = BatchResult(stored=stored, duplicates=len(rows) - stored)
        if tally.duplicates:
            tally.conflicts = await self._keep_conflicts(rows)
        return tally

    async def _insert_staged(self, rows: Sequence[Row]) -> int:
        """Into audit_log, or into the hands of the handler; returns how many were new."""
        if self._handle is None:
            row = await (await self.connection.execute(INSERT, [self._lane])).fetchone()
            return int(row[0]) if row else 0
        claimed = await (await self.connection.execute(_CLAIM)).fetchall()
        if claimed:
            events = [rows[ordinal].wire() for (ordinal,) in claimed]
            await handler.call(self._handle, events, self.settings.attempt_timeout_s * STATEMENT_SHARE)
        return len(claimed)

    async def _stage(self, rows: Sequence[Row]) -> None:
        lines = "".join([f"{ordinal}\t{row.line}\n" for ordinal, row in enumerate(rows)])
        async with self.connection.cursor() as cursor, cursor.copy(COPY) as copy:
            await copy.write(lines.encode())

    async def clear_staging(self) -> None:
        """Empty it within a transaction that stages more than once."""
        await self.connection.execute("delete from audit_staging")

    async def _keep_conflicts(self, rows: Sequence[Row]) -> int:
        """The first content of an id stays; others are kept beside it."""
        conflicts = await (await self.connection.execute(_CONFLICTS)).fetchall()
        for ordinal, kept in conflicts:
            row = rows[ordinal]
            await self.connection.execute(
                _KEEP_CONFLICT, [row.event_id, row.hash, kept, row.event, row.event_id, row.hash]
            )
        return len(conflicts)

    async def make_partitions(self, rows: Sequence[Row]) -> None:
        """Make what months these rows need and do not exist; a month that this session has seen costs nothing.

        Each is bounded, and committed, by itself: rows of three hundred months would else never get through.
        """
        needed = {row.month for row in rows} if self._handle is None else set()
        if needed <= self._months:
            return
        with self.bounded():
            self._months = await partitions.existing(self.connection)
        for month in sorted(needed - self._months):
            with self.bounded():
                await partitions.ensure(self.connection, [month])
            self._months.add(month)

    async def bury(self, letter: DeadLetter) -> BatchResult:
        """A dead letter, in the caller's transaction or else in one of its own; under a handler its cause says so."""
        if self._handle is not None:
            letter = msgspec.structs.replace(letter, cause=model.UNDER_HANDLER + letter.cause)
        with self.bounded():
            buried = await repository.insert(self.connection, letter)
        return BatchResult(dead=1) if buried else BatchResult(duplicates=1)

    def forget_partitions(self) -> None:
        """Somebody dropped one: look again."""
        self._months.clear()

    async def beat(self, worker: str, lane: int, window_s: float) -> tuple[int, int]:
        """Commit a small write; returns how many dead letters there are, in all and of the window."""
        with self.bounded():
            found = await self.connection.execute(_BEAT, [worker, lane, window_s])
            row = await found.fetchone()
        return (row[0], row[1]) if row else (0, 0)

    async def touch(self) -> None:
        """Keep the session from counting as idle, without proving anything."""
        with self.bounded():
            await self.connection.execute("select 1")
