"""The store of jobs that share a loop: psycopg's pool, as its users have it there, checked before use.

One connection cannot serve several coroutines at once, and one for each job would be opened and closed with it.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool


class AsyncStore:
    """Inserts one event a job, by one of `statements`; an asynchronous context manager. `size`: most connections."""

    def __init__(self, statement: str, size: int = 10, url: str | None = None, **options: Any) -> None:
        self._statement = statement
        self._pool = AsyncConnectionPool(
            url or os.environ["DATABASE_URL"],
            min_size=1,
            max_size=size,
            open=False,
            timeout=10,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, **options},
        )

    async def __aenter__(self) -> Self:
        await self._pool.open()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.close()

    async def insert(self, event: dict[str, Any]) -> None:
        """Commit one event. Raises psycopg.Error, or PoolTimeout, when it is not known to be stored."""
        async with self._pool.connection() as connection:
            await connection.execute(self._statement, {"event_id": event["eventId"], "event": Jsonb(event)})
