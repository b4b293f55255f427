"""Isolation: find the first event of a batch that the store will never take, by halving the batch.

One transaction stores the events before it and inserts its dead letter; the events behind it stay in the queue for the
next batch. So order holds, each attempt makes progress, and its duration is bounded for any share of bad events.
"""

from collections.abc import Sequence, Set

import psycopg

from reference_impl.dead_letters.repository import Attempt, DeadLetter
from reference_impl.errors import Failure
from reference_impl.resilience import error_classes
from reference_impl.store.connections import bounded
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import BatchResult, Store

#: Failures for which an event is isolated without a retry.
OWN_FAULT = frozenset({Failure.DATA, Failure.UNKNOWN})
#: Most events behind the suspect that are tried in search of a new one.
NEIGHBOURS = 10


class Isolation:
    """One search. `result` counts the events that are dealt with."""

    def __init__(self, store: Store, rows: Sequence[Row], suspected: Set[Failure], history: list[Attempt]) -> None:
        self.store, self.rows, self.suspected, self.history = store, rows, suspected, history
        self.result = BatchResult()
        self._error = psycopg.Error()

    async def run(self) -> BatchResult:
        """Store up to the first bad event and insert its dead letter. Raises psycopg.Error for a fault of the store."""
        await self.store.make_partitions(self.rows)
        # a time-out for each halving, the last event, its neighbours and the dead letter; each step is bounded too,
        # but BEGIN, COMMIT and savepoints are not
        steps = 2 + len(self.rows).bit_length() + min(NEIGHBOURS, len(self.rows))
        with bounded(self.store.connection, self.store.settings.attempt_timeout_s * steps):
            async with self.store.connection.transaction():
                await self._search()
        return self.result

    async def _search(self) -> None:
        low, high = 0, len(self.rows)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if await self._insert(low, middle, self.result) else (low, middle)
        if not await self._insert(low, low + 1, self.result):
            await self._reject(low)

    async def _insert(self, low: int, high: int, result: BatchResult) -> bool:
        """Insert these rows in a savepoint, unless the store refuses them. Raises errors that no event causes."""
        try:
            with self.store.bounded():
                async with self.store.connection.transaction():
                    await self.store.connection.execute("delete from audit_staging")
                    result.add(await self.store.insert(self.rows[low:high]))
            return True
        except psycopg.Error as e:
            if error_classes.classify(e, self.store.settings) not in self.suspected:
                raise
            self._error = e
            return False

    async def _reject(self, index: int) -> None:
        """A data error is the event's own fault; any other only if the store takes a neighbour at the same time."""
        error, failure = self._error, error_classes.classify(self._error, self.store.settings)
        if failure is not Failure.DATA and not await self._a_neighbour_fits(index):
            raise error
        await self.insert_dead_letter(self.dead_letter(self.rows[index], failure, error))

    async def _a_neighbour_fits(self, index: int) -> bool:
        """Whether an event before it was stored, or one behind it can be: tried, and rolled back.

        An event that is stored already proves nothing, because the store does less for it.
        """
        if self.result.stored:
            return True
        for other in range(index + 1, min(index + 1 + NEIGHBOURS, len(self.rows))):
            result = BatchResult()
            async with self.store.connection.transaction(force_rollback=True):
                fits = await self._insert(other, other + 1, result)
            if result.stored or not fits:
                return fits
        return False

    def dead_letter(self, row: Row, failure: Failure, error: psycopg.Error) -> DeadLetter:
        """The dead letter of an event that failed once more."""
        history = [*self.history, Attempt(failure.value, error.sqlstate)]
        cause = f"{failure.value}: SQLSTATE {error.sqlstate} ({error_classes.kind(error)})"
        return DeadLetter(row.event_id, row.event, row.hash, cause, history, error.__cause__ or error)

    async def insert_dead_letter(self, letter: DeadLetter) -> None:
        """Insert it in this search's transaction."""
        self.result.add(await self.store.insert_dead_letter(letter))
