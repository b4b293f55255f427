"""The command `lanes`: prints the lane count, or changes it while nothing runs.

A running process uses the count that it found at its start. If the count changed meanwhile, an intake would fill lanes
that no worker owns, and the events of one organization would be in two lanes.
"""

from __future__ import annotations

import argparse
import sys

from redis.asyncio import Redis

from reference_impl.queue import heartbeats, streams
from reference_impl.queue.heartbeats import QUEUE_UNAVAILABLE
from reference_impl.settings import Settings

#: The largest CONCURRENCY.
MOST = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `lanes`."""
    parser.add_argument("count", type=int, nargs="?", choices=range(1, MOST + 1), metavar="COUNT", help="from now on")


async def run(settings: Settings, given: argparse.Namespace) -> int:
    """The command `lanes`; 1 when the count could not be changed or read."""
    async with streams.connect(settings.redis_url, settings.enqueue_timeout_s) as redis:
        try:
            if given.count and (why := await _why_not(redis, given.count)):
                print(f"the lane count stays: {why}", file=sys.stderr)
                return 1
            print(int(await redis.get(streams.LANES) or settings.concurrency))
        except QUEUE_UNAVAILABLE as e:
            print(f"the queue did not take it: {type(e).__name__}", file=sys.stderr)
            return 1
    return 0


async def _why_not(redis: Redis, count: int) -> str | None:
    """Change the count, or return the reason against it."""
    running = [worker.worker for worker in await heartbeats.active_workers(redis)]
    running += ["an intake" for client in await redis.client_list() if client["name"] == streams.INTAKE][:1]
    if running:
        return f"expected nothing to run, found {', '.join(running)}: stop every process of the reference first"
    if (lane := await streams.resize_lanes(redis, count)) is not None:
        return f"expected empty lanes, found events in {streams.key(lane)}: let the workers store them first"
    return None
