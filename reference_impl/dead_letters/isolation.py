"""Isolation of poison: a batch refused by its data is halved, left half first, until the poison stands alone.

One transaction stores what lies before the poison and buries it; what lies behind stays in the queue for the next
batch. So order holds, each round makes progress, and a round's length is bounded whatever the share of poison.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import psycopg

from reference_impl.dead_letters import model
from reference_impl.dead_letters.model import Attempt, DeadLetter
from reference_impl.errors import Failure
from reference_impl.resilience import error_classes
from reference_impl.resilience.watchdog import bounded
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import Store, Tally

#: Failures that may be an event's own fault without a retry.
OWN_FAULT = frozenset({Failure.DATA, Failure.UNKNOWN})
#: Most rows behind the poison that are looked at for one that is new.
NEIGHBOURS = 10


class Isolation:
    """One search for the first poison of a batch."""

    def __init__(
        self, store: Store, rows: Sequence[Row], suspected: Collection[Failure], history: list[Attempt]
    ) -> None:
        self._store, self._rows, self._suspected, self._history = store, rows, suspected, history
        self._tally = Tally()
        self._error: psycopg.Error | None = None

    async def run(self) -> Tally:
        """Store up to the first poison, and bury it. Raises psycopg.Error when the store, not an event, is at fault."""
        await self._store.make_partitions(self._rows)
        # each step bounds itself; this is for what stands between them: BEGIN, COMMIT, savepoints
        with bounded(self._store.connection, self._longest_s()):
            async with self._store.connection.transaction():
                alone = await self._search()
                if not await self._fits(alone, alone + 1):
                    await self._judge(alone)
        return self._tally

    def _longest_s(self) -> float:
        """A time-out each for the halvings, for the row left alone, for its neighbours, and for the burial."""
        rows = len(self._rows)
        return self._store.settings.attempt_timeout_s * (2 + rows.bit_length() + min(NEIGHBOURS, rows))

    async def _search(self) -> int:
        """The index of the row that is left when halving ends; all rows before it are inserted."""
        low, high = 0, len(self._rows)
        while high - low > 1:
            middle = (low + high) // 2
            if await self._fits(low, middle):
                low = middle
            else:
                high = middle
        return low

    async def _fits(self, low: int, high: int) -> bool:
        """Insert these rows in a savepoint; whether the store took them. Raises what no event can be blamed for."""
        try:
            with self._store.bounded():
                async with self._store.connection.transaction():
                    await self._store.clear_staging()
                    self._tally.add(await self._store.insert(self._rows[low:high]))
            return True
        except psycopg.Error as e:
            if error_classes.classify(e, self._store.settings) not in self._suspected:
                raise
            self._error = e
            return False

    async def _judge(self, alone: int) -> None:
        """Data is poison by itself; any other failure only if the store takes a neighbour meanwhile."""
        assert self._error is not None
        error, failure = self._error, error_classes.classify(self._error, self._store.settings)
        if failure is not Failure.DATA and not await self._a_neighbour_fits(alone):
            raise error
        self._tally.add(await self._store.bury(self._letter(self._rows[alone], failure, error)))

    async def _a_neighbour_fits(self, alone: int) -> bool:
        """A row before it was inserted, or one behind it can be; but that one waits for its own turn.

        One that is stored already proves nothing: of it nothing is asked that the others ask.
        """
        if self._tally.stored:
            return True
        for index in range(alone + 1, min(alone + 1 + NEIGHBOURS, len(self._rows))):
            if (fits := await self._fits_if_new(index)) is not None:
                return fits
        return False

    async def _fits_if_new(self, index: int) -> bool | None:
        """Whether the store takes it, without leaving it there; None for one that it has already."""
        before, self._tally = self._tally, Tally()
        try:
            async with self._store.connection.transaction():
                fits = await self._fits(index, index + 1)
                new = self._tally.stored > 0
                raise psycopg.Rollback
        finally:
            self._tally = before
        return None if fits and not new else fits

    def _letter(self, row: Row, failure: Failure, error: psycopg.Error) -> DeadLetter:
        attempt = Attempt(model.now(), failure.value, error.sqlstate)
        cause = f"{failure.value}: SQLSTATE {error.sqlstate} ({error_classes.kind(error)})"
        why = cause, [*self._history, attempt], *model.where(error.__cause__ or error)
        return DeadLetter(row.event_id, row.event, row.hash, *why)
