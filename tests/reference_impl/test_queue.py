"""The queue: what is read from a lane's head, and how many lanes there are."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import uuid
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import MasterDownError, ReadOnlyError

from reference_impl import __main__ as commands
from reference_impl.errors import TemporarilyUnavailable
from reference_impl.queue import streams
from reference_impl.queue.pipeline import Pipeline
from reference_impl.settings import Settings
from tests.reference_impl.conftest import until, wire
from tests.reference_impl.test_intake import intake
from tests.reference_impl.test_worker import enqueue, worker


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


@pytest.mark.parametrize("refusal", ["LOADING the dataset", "NOAUTH Authentication required.", "ERR max clients"])
def test_no_error_reply_of_the_queue_is_an_acknowledgement(refusal: str) -> None:
    info = "role:master\r\nmaxmemory_policy:noeviction"
    replies = {"INFO": f"${len(info)}\r\n{info}", "GET": "$1\r\n5", "XADD": f"-{refusal}"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while count := await reader.readline():
            words = [(await reader.readline(), await reader.readline())[1] for _ in range(int(count[1:]))]
            writer.write(f"{replies.get(words[0].strip().decode(), '+OK')}\r\n".encode())
        writer.close()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            settings = Settings(redis_url=f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
            pipeline = Pipeline(settings, asyncio.sleep)
            running = asyncio.create_task(pipeline.run())
            async with asyncio.timeout(30):
                await pipeline.connected.wait()
            with pytest.raises(TemporarilyUnavailable, match="refused"):
                await pipeline.add(0, "id", b"{}", "hash")
            running.cancel()
            await asyncio.wait([running])
            await pipeline.redis.aclose()

    asyncio.run(run())
