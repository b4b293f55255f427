"""The outbox: events that are accepted and not yet delivered; one that was accepted before is not added again."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from psycopg import AsyncConnection
from psycopg.types.json import Json
from psycopg_pool import AsyncConnectionPool

SCHEMA = """
create table if not exists accepted (event_id uuid primary key);
create table if not exists outbox (
    position bigint generated always as identity primary key,
    event_id uuid not null,
    event json not null,
    tries integer not null default 0,
    due timestamptz not null default now()
);
"""
_ADD = """
with new as (insert into accepted values (%(event_id)s) on conflict do nothing returning event_id)
insert into outbox (event_id, event) select event_id, %(event)s from new
"""
_NEXT = """
select position, event_id::text, event::text, tries from outbox where due <= now()
order by position limit 1 for update skip locked
"""
_LATER = "update outbox set tries = tries + 1, due = now() + make_interval(secs => %s) where position = %s"
#: PostgreSQL's manual, "Database Connection Control Functions" and "Client Connection Defaults".
_OPTIONS = {"connect_timeout": 5, "options": "-c statement_timeout=5000", "tcp_user_timeout": 5000}


class Delivery:
    """One event that this worker holds, until its transaction ends."""

    def __init__(self, connection: AsyncConnection[Any], row: tuple[int, str, str, int]) -> None:
        self._connection = connection
        self._position, self.event_id, self.body, self.tries = row

    async def done(self) -> None:
        """It is delivered."""
        await self._connection.execute("delete from outbox where position = %s", [self._position])

    async def later(self, seconds: float) -> None:
        """Try again after a pause."""
        await self._connection.execute(_LATER, [seconds, self._position])


class Outbox:
    """An asynchronous context manager. A worker that dies loses its connection, and so releases what it holds."""

    def __init__(self) -> None:
        self._pool = AsyncConnectionPool(
            os.environ["DATABASE_URL"],
            min_size=1,
            max_size=10,
            open=False,
            timeout=10,
            check=AsyncConnectionPool.check_connection,
            kwargs=_OPTIONS,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    async def add(self, event: dict[str, Any]) -> None:
        """Commit one event. Raises psycopg.Error, or PoolTimeout, when it is not known to be stored."""
        async with self._pool.connection() as connection:
            await connection.execute(_ADD, {"event_id": event["eventId"], "event": Json(event)})

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Delivery | None]:
        """The oldest event that is due and that no other worker holds; None if there is none."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_NEXT)).fetchone()
            yield Delivery(connection, row) if row else None
