"""The writer: a batch is one transaction, and an event is stored once however often it is delivered."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress

import msgspec
import psycopg

from reference_impl.dead_letters import repository
from reference_impl.settings import Settings
from reference_impl.store import handler, partitions
from reference_impl.store.connections import STATEMENT_SHARE, Connection, bounded, fetch_all, fetch_value, query
from reference_impl.store.copy_row import COLUMNS, Row

#: Longest wait for a lock when the store shows that it takes batches, in milliseconds: a batch has just waited for it.
PROBE_LOCK_MS = 200
#: The number of no lane: rows are stored without one, or an empty batch is committed.
NO_LANE = -1

STAGING = query("staging")
COPY = f"copy audit_staging (ordinal, {COLUMNS}, received_ms) from stdin"
INSERT = (query("new") + query("insert")).format(dropped="false", columns=COLUMNS)
CLAIM = (query("new") + query("claim")).format(dropped="true")


class BatchResult(msgspec.Struct):
    """The rows of a batch, counted by outcome."""

    stored: int = 0
    duplicates: int = 0  # of an event that is stored or a dead letter
    conflicts: int = 0  # of the duplicates: with other content
    dead: int = 0

    @property
    def processed(self) -> int:
        """Rows from the head that may leave the queue."""
        return self.stored + self.duplicates + self.dead

    def add(self, other: "BatchResult") -> None:
        """Add the counts of another part of the batch."""
        for field in self.__struct_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))


class Store:
    """The store over one lane's connection. Every method is bounded in time; each raises psycopg.Error."""

    def __init__(
        self, connection: Connection, settings: Settings, handle: handler.Handler | None = None, lane: int = NO_LANE
    ) -> None:
        self.connection, self.settings, self._handle, self.lane = connection, settings, handle, lane
        self.months: set[str] = set()  # known to have a partition

    def bounded(self) -> AbstractContextManager[None]:
        """The watchdog of one attempt."""
        return bounded(self.connection, self.settings.attempt_timeout_s)

    async def prepare(self) -> None:
        """Create this session's staging table."""
        with self.bounded():
            await self.connection.execute(STAGING)

    async def store(self, rows: Sequence[Row]) -> BatchResult:
        """Commit all rows or none."""
        await self.make_partitions(rows)
        with self.bounded():
            async with self.connection.transaction():
                return await self.insert(rows)

    async def takes_a_batch(self) -> bool:
        """Whether it commits an empty batch, which needs everything that a batch needs.

        False with a handler, because an empty batch does not show whether the handler's own services are available.
        """
        with suppress(psycopg.Error), self.bounded():
            async with self.connection.transaction():
                await self.connection.execute(f"set local lock_timeout = {PROBE_LOCK_MS}")
                await self.insert([])
            return self._handle is None
        return False

    async def insert(self, rows: Sequence[Row]) -> BatchResult:
        """Stage and insert these rows within the caller's transaction."""
        lines = "".join([f"{ordinal}\t{row.line}\n" for ordinal, row in enumerate(rows)])
        async with self.connection.cursor() as cursor, cursor.copy(COPY) as copy:
            await copy.write(lines.encode())
        stored = await self._insert_staged(rows)
        result = BatchResult(stored=stored, duplicates=len(rows) - stored)
        if result.duplicates:
            result.conflicts = await self._insert_conflicts(rows)
        return result

    async def _insert_staged(self, rows: Sequence[Row]) -> int:
        """Insert new rows into audit_log or pass them to the handler; their number."""
        if self._handle is None:
            return int(await fetch_value(self.connection, INSERT, self.lane) or 0)
        if claimed := await fetch_all(self.connection, CLAIM):
            events = [rows[ordinal].wire() for (ordinal,) in claimed]
            await handler.call(self._handle, events, self.settings.attempt_timeout_s * STATEMENT_SHARE)
        return len(claimed)

    async def _insert_conflicts(self, rows: Sequence[Row]) -> int:
        """The first content of an id is the event; any other is stored as a conflict."""
        if ordinals := [ordinal for ordinal, _ in await fetch_all(self.connection, query("conflicts"))]:
            events = [rows[ordinal].event for ordinal in ordinals]
            await self.connection.execute(query("insert_conflicts"), [ordinals, events])
        return len(ordinals)

    async def make_partitions(self, rows: Sequence[Row]) -> None:
        """Create the missing partitions of these rows; a month that this session has seen costs nothing.

        Each month is bounded and committed alone, because a batch of three hundred months would never finish.
        """
        needed = {row.month for row in rows} if self._handle is None else set()
        for month in sorted(needed - self.months):
            with self.bounded():
                await partitions.ensure(self.connection, [month])
            self.months.add(month)

    async def insert_dead_letter(self, letter: repository.DeadLetter) -> BatchResult:
        """Insert a dead letter, in the caller's transaction or one of its own; under a handler its cause says so."""
        if self._handle is not None:
            letter = msgspec.structs.replace(letter, cause=repository.UNDER_HANDLER + letter.cause)
        with self.bounded():
            inserted = await repository.insert(self.connection, letter)
        return BatchResult(dead=1) if inserted else BatchResult(duplicates=1)

    async def heartbeat(self) -> tuple[int, int]:
        """Commit a small write; the number of dead letters, in total and within the breaker's window."""
        values = self.settings.process, self.lane, self.settings.breaker_monitoring_s
        with self.bounded():
            ((total, recent),) = await fetch_all(self.connection, query("heartbeat"), *values)
        return total, recent
