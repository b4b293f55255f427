"""The command `retention`: create partitions ahead, and drop months that no retention policy covers any more."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import psycopg

from reference_impl.resilience.watchdog import Connection
from reference_impl.settings import Settings
from reference_impl.store import connections, partitions

#: Attempts at a month that is in use, and the wait between two, in seconds.
TRIES, PAUSE_S = 5, 0.5
#: The month is being written to, or verified.
BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.ForeignKeyViolation)


class Retained(msgspec.Struct):
    """The months before the last one, by result."""

    dropped: list[str] = []
    held: list[str] = []
    busy: list[str] = []  # in use: left to the next run


async def run(settings: Settings) -> None:
    """Run once, and print the result as JSON."""
    async with await connections.connect_without_timeouts(settings) as connection:
        print(msgspec.json.encode(await retain(connection, datetime.now(UTC))).decode())


async def retain(connection: Connection, now: datetime) -> Retained:
    """Drop the months that policies allow. Last month and later ones stay, empty or not."""
    stay = partitions.ahead(now.date())
    await partitions.ensure(connection, stay)
    result = Retained()
    for month in sorted(m for m in await partitions.existing(connection) if m < stay[0]):
        (await _drop(connection, month, now, result)).append(month)
    return result


async def _drop(connection: Connection, month: str, now: datetime, result: Retained) -> list[str]:
    for _ in range(TRIES):
        try:
            return result.dropped if await partitions.drop(connection, month, now) else result.held
        except BUSY:
            await asyncio.sleep(PAUSE_S)
    return result.busy
