"""The queue: what is read from a lane's head, and how many lanes there are."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import psycopg
import pytest
from redis.asyncio import Redis
from redis.exceptions import MasterDownError, ReadOnlyError

from reference_impl import __main__ as commands
from reference_impl.delivery.worker import Worker
from reference_impl.errors import TemporarilyUnavailable
from reference_impl.queue import streams
from reference_impl.queue.pipeline import Pipeline
from reference_impl.settings import Settings
from tests.reference_impl.conftest import until, wire
from tests.reference_impl.test_intake import intake
from tests.reference_impl.test_worker import empty, enqueue, worker


def test_a_batch_is_bounded_by_its_bytes(settings: Settings) -> None:
    async def run() -> list[int]:
        redis = Redis.from_url(settings.redis_url)
        for number in range(250):
            await redis.xadd("events:0", {"event": "x" * (5000 if number == 30 else 100)})
        read = [len(await streams.head(redis, 0, *limits)) for limits in ((1000, 10**6), (240, 10**6), (1000, 2100))]
        await redis.xtrim("events:0", minid=cast(Any, await redis.xrange("events:0"))[30][0], approximate=False)
        read.append(len(await streams.head(redis, 0, 1000, 2100)))  # a single larger one comes alone
        await redis.aclose()
        return read

    assert asyncio.run(run()) == [250, 240, 20, 1]


def test_an_organization_has_one_lane_also_where_its_name_is_empty_and_only_events_of_none_go_by_their_ids() -> None:
    names = [str(uuid.uuid4()) for _ in range(100)]
    for organization in ("org-1", ""):
        assert len({streams.lane_of(organization, name, 5) for name in names}) == 1
    assert {streams.lane_of(None, name, 5) for name in names} == set(range(5))


def test_the_first_process_decides_the_lane_count_and_lanes_of_an_earlier_one_are_counted(settings: Settings) -> None:
    async def run() -> tuple[list[int], list[int]]:
        redis = Redis.from_url(settings.redis_url)
        counts = [await streams.lanes_in_force(redis, wanted) for wanted in (5, 3, 7)]
        assert await streams.resize_lanes(redis, 3) is None
        counts.append(await streams.lanes_in_force(redis, 5))
        await enqueue(settings, (1, {}), (4, {}), (4, {}))  # as a process that still runs with the earlier count
        depths = await streams.depths(redis, 3)
        assert await streams.resize_lanes(redis, 5) == 1
        await redis.delete(streams.key(1))
        assert await streams.resize_lanes(redis, 5) == 4
        await redis.aclose()
        return counts, depths

    assert asyncio.run(run()) == ([5, 5, 5, 3], [0, 1, 0, 0, 2])


def test_the_lane_count_changes_only_while_nothing_runs(
    settings: Settings, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def lanes(count: int | None, code: int, said: str) -> None:
        assert await commands.lanes(settings, argparse.Namespace(count=count)) == code
        assert said in "".join(capfd.readouterr())

    async def run() -> None:
        async with intake(settings):
            await lanes(3, 1, "an intake")
        async with worker(settings, concurrency=3) as one:

            async def beats() -> bool:
                return bool(one.monitor.snapshot.workers)

            await until(beats)
            assert one.lanes.count == 5
            await lanes(3, 1, "worker-1")
        await enqueue(settings, (4, {}))
        await lanes(3, 1, "events:4")
        await lanes(None, 0, "5")
        redis = Redis.from_url(settings.redis_url)
        await redis.delete(streams.key(4))
        await redis.aclose()
        await lanes(3, 0, "3")
        async with intake(settings) as http:
            for n in range(30):
                await http.post("/events", content=wire(organizationId=f"org-{n}"))
        redis = Redis.from_url(settings.redis_url)
        assert [bool(depth) for depth in await streams.depths(redis, 5)] == [True, True, True, False, False]
        await redis.aclose()

    asyncio.run(run())
    assert caplog.text.count("another lane count is in force") == 2  # the worker's, and the last intake's


def test_workers_follow_the_lane_count_that_another_process_sets_once_the_queue_has_lost_its_data(
    settings: Settings, admin: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        redis = Redis.from_url(settings.redis_url)
        async with worker(settings) as one:
            for lanes in (5, 8, 3):

                async def follows(lanes: int = lanes) -> bool:
                    return one.lanes.held == list(range(lanes))

                await redis.flushdb()
                await streams.lanes_in_force(redis, lanes)
                await enqueue(settings, (lanes - 1, {}))
                await until(follows)
                await until(lambda: empty(settings))
        await redis.aclose()

    asyncio.run(run())
    assert admin.execute("select count(*) from audit_log").fetchone() == (3,)


def test_a_trial_looks_at_lanes_that_a_smaller_count_no_longer_has(settings: Settings) -> None:
    async def run() -> list[int]:
        redis = Redis.from_url(settings.redis_url)
        await streams.lanes_in_force(redis, 5)
        await enqueue(settings, (4, {}))
        one = Worker(settings)
        one.lanes.count = 8
        await one.lanes.trial()
        held = one.lanes.held
        one.lanes.stop()
        await one.lanes.run()  # gives the lane back
        await one.lanes.redis.aclose()
        await redis.aclose()
        return held

    assert asyncio.run(run()) == [4]


def test_a_lane_count_that_is_none_is_refused() -> None:
    command = [sys.executable, "-m", "reference_impl", "lanes", "0"]
    assert subprocess.run(command, env={}, capture_output=True, check=False).returncode == 2


@pytest.mark.parametrize(("code", "error"), [("READONLY", ReadOnlyError), ("MASTERDOWN", MasterDownError)])
def test_a_connection_is_left_when_its_server_says_that_it_was_demoted(code: str, error: type[Exception]) -> None:
    lost = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            if line == b"GET\r\n":
                writer.write(f"-{code} no primary any more\r\n".encode())
            elif line in (b"CLIENT\r\n", b"HELLO\r\n"):
                writer.write(b"+OK\r\n")
        writer.close()
        lost.set()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            redis = streams.connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", 5.0)
            with pytest.raises(error):
                await redis.get("key")
            async with asyncio.timeout(30):
                await lost.wait()
            await redis.aclose()

    asyncio.run(run())


def test_leaving_a_demoted_server_breaks_no_command_of_another_task(settings: Settings) -> None:
    async def run() -> None:
        redis, other = streams.connect(settings.redis_url, 30.0), Redis.from_url(settings.redis_url)
        left = await redis.client_id()
        waiting = asyncio.create_task(streams.wait(redis, 0, 2.0))

        async def waits() -> bool:
            return any(client["id"] == str(left) and client["cmd"] == "xread" for client in await other.client_list())

        await until(waits)
        await streams.leave(redis)
        await waiting
        assert await redis.client_id() != left
        await redis.aclose()
        await other.aclose()

    asyncio.run(run())


class Scripted:
    """A queue's server that gives the replies of a test; it keeps the commands that it got."""

    def __init__(self, **replies: str) -> None:
        info = "role:master\r\nmaxmemory_policy:noeviction"
        self.replies = {"INFO": f"${len(info)}\r\n{info}", "GET": "$1\r\n5", **replies}
        self.got: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while count := await reader.readline():
            words = [(await reader.readline(), await reader.readline())[1] for _ in range(int(count[1:]))]
            self.got.append(words[0].strip().decode())
            writer.write(f"{self.replies.get(self.got[-1], '+OK')}\r\n".encode())
        writer.close()

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[Pipeline]:
        """A pipeline that is connected to it."""
        async with await asyncio.start_server(self.serve, "127.0.0.1", 0) as server:
            url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
            pipeline = Pipeline(Settings(redis_url=url), asyncio.sleep)
            running = asyncio.create_task(pipeline.run())
            async with asyncio.timeout(30):
                await pipeline.connected.wait()
            yield pipeline
            running.cancel()
            await asyncio.wait([running])
            await pipeline.redis.aclose()


@pytest.mark.parametrize("refusal", ["LOADING the dataset", "NOAUTH Authentication required.", "ERR max clients"])
def test_no_error_reply_of_the_queue_is_an_acknowledgement(refusal: str) -> None:
    async def run() -> None:
        async with Scripted(XADD=f"-{refusal}").pipeline() as pipeline:
            with pytest.raises(TemporarilyUnavailable, match="refused"):
                await pipeline.add(0, "id", b"{}", "hash")

    asyncio.run(run())


def test_a_loss_that_could_not_be_counted_is_counted_at_the_next_connection() -> None:
    async def run() -> None:
        queue = Scripted(XADD="$3\r\n1-0", EXISTS=":0", INCRBY="-ERR not now")
        async with queue.pipeline() as pipeline:
            await pipeline.add(0, "id", b"{}", "hash")

            async def counted(times: int) -> bool:
                return queue.got.count("INCRBY") >= times

            for writer in queue.writers:
                writer.close()
            await until(lambda: counted(1))
            queue.replies["INCRBY"] = ":1"
            await until(lambda: counted(2))

    asyncio.run(run())
