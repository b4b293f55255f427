"""No fence: both workers hold every lane and share its entries, so a slow one stores after a quick one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery import lease
from reference_impl.delivery.worker import Worker
from reference_impl.queue import streams
from reference_impl.queue.streams import Entry
from reference_impl.store.connections import Connection
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="order_kept", shown_by="one_worker_slow", shipped="postgres_outage", in_ci=True)

GROUP = "workers"


async def take(connection: Connection, lanes: Sequence[int]) -> int | None:
    return lanes[0] if lanes else None


async def share(redis: Redis, lane: int, count: int, size: int) -> list[Entry]:
    """The next entries that nobody else has, as a consumer group gives them; a few at a time."""
    with suppress(ResponseError):  # the other worker was first
        await redis.xgroup_create(streams.key(lane), GROUP, "0", mkstream=True)
    found = await redis.xreadgroup(GROUP, os.environ["PROCESS"], {streams.key(lane): ">"}, count=min(count, 5))
    return [Entry.from_redis(*entry) for _, entries in cast(Any, found) or [] for entry in entries]


if __name__ == "__main__":
    lease.try_acquire = take
    streams.head = share
    Worker.available_workers = lambda self: 1  # type: ignore[method-assign]
    sys.exit(main())
