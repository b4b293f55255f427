"""A retention run: months are made ahead, and those that no policy holds any more are dropped."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import msgspec
import psycopg

from reference_impl.resilience.watchdog import Connection
from reference_impl.settings import Settings
from reference_impl.store import connections, partitions

#: How often a month that somebody writes to is tried, and the wait between two tries, in seconds.
TRIES, PAUSE_S = 5, 0.5


#: Somebody writes to it, or verifies it, just now.
BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.ForeignKeyViolation)


class Retained(msgspec.Struct):
    """What became of the months that are over."""

    dropped: list[str] = []
    held: list[str] = []
    busy: list[str] = []  # written to just now: for the next run


async def run(settings: Settings) -> int:
    """The command `retention`."""
    connection = await connections.connect_without_timeouts(settings)
    try:
        told = await retain(connection, datetime.now(UTC))
    finally:
        await connections.close(connection)
    print(msgspec.json.encode(told).decode(), file=sys.stdout)
    return 0


async def retain(connection: Connection, now: datetime) -> Retained:
    """Drop what policy lets go of. The month before this one and later ones stay, empty or not."""
    stay = partitions.ahead(now.date())
    await partitions.ensure(connection, stay)
    told = Retained()
    for month in sorted(m for m in await partitions.existing(connection) if m < stay[0]):
        (await _drop(connection, month, now, told)).append(month)
    return told


async def _drop(connection: Connection, month: str, now: datetime, told: Retained) -> list[str]:
    for _ in range(TRIES):
        try:
            return told.dropped if await partitions.drop(connection, month, now) else told.held
        except BUSY:
            await asyncio.sleep(PAUSE_S)
    return told.busy
