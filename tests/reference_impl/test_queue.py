"""The queue: what is read from a lane's head, and how many lanes there are."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from reference_impl import queue
from reference_impl.settings import Settings
from tests.reference_impl.test_worker import enqueue


def test_a_batch_is_bounded_by_its_bytes(settings: Settings) -> None:
    async def run() -> list[int]:
        redis = Redis.from_url(settings.redis_url)
        for number in range(250):
            await redis.xadd("events:0", {"event": "x" * (5000 if number == 30 else 100)})
        read = [len(await queue.head(redis, 0, *limits)) for limits in ((1000, 10**6), (240, 10**6), (1000, 2100))]
        await redis.xtrim("events:0", minid=(await redis.xrange("events:0"))[30][0], approximate=False)
        read.append(len(await queue.head(redis, 0, 1000, 2100)))  # a single larger one comes alone
        await redis.aclose()
        return read

    assert asyncio.run(run()) == [250, 240, 20, 1]


def test_the_lane_count_does_not_change_under_a_backlog(settings: Settings) -> None:
    async def run() -> list[int]:
        redis = Redis.from_url(settings.redis_url)
        counts = [await queue.lanes_in_force(redis, 5)]
        await enqueue(settings, (4, {}))
        counts.append(await queue.lanes_in_force(redis, 3))
        await redis.delete(queue.key(4))
        counts.append(await queue.lanes_in_force(redis, 3))
        await redis.aclose()
        return counts

    assert asyncio.run(run()) == [5, 5, 3]
