"""The backlog of a target that keeps what it has delivered: only what nobody acknowledged is work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
import redis

from shaketable.evidence.backlog import Backlog
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest, Process
from shaketable.target.source_tables import Queue, QueueKey, Stored
from tests.conftest import Servers

MANIFEST = Manifest(
    contract=1,
    name="streamer",
    ingest=Ingest("ingest"),
    process=(Process("ingest", ("true",)),),
    stored=Stored(""),
    queue=Queue((QueueKey("task*", "groups"),)),
)


@pytest.fixture
def queue(servers: Servers) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(servers.redis_url) as client:
        yield client


@pytest.fixture
def backlog(servers: Servers, queue: redis.Redis) -> Iterator[Backlog]:
    with Backlog(servers.stack, MANIFEST) as backlog:
        yield backlog


def send(queue: redis.Redis, count: int) -> None:
    for number in range(count):
        queue.xadd("tasks", {"number": number})


def test_queue_that_was_never_used_holds_nothing(backlog: Backlog) -> None:
    assert backlog.queue() == 0


def test_stream_that_no_group_reads_holds_every_entry(backlog: Backlog, queue: redis.Redis) -> None:
    send(queue, 3)
    assert backlog.queue() == 3


def test_entry_counts_until_it_is_acknowledged(backlog: Backlog, queue: redis.Redis) -> None:
    queue.xgroup_create("tasks", "workers", "0", mkstream=True)
    send(queue, 5)
    [[_, taken]] = cast(Any, queue.xreadgroup("workers", "one", {"tasks": ">"}, count=3))
    assert (backlog.queue(), queue.xlen("tasks")) == (5, 5)
    queue.xack("tasks", "workers", *(entry for entry, _ in taken))
    assert (backlog.queue(), queue.xlen("tasks")) == (2, 5)


def test_entries_are_counted_where_the_server_has_lost_count(backlog: Backlog, queue: redis.Redis) -> None:
    queue.xgroup_create("tasks", "workers", "0", mkstream=True)
    send(queue, 5)
    queue.xreadgroup("workers", "one", {"tasks": ">"}, count=1)
    queue.xdel("tasks", cast(Any, queue.xrange("tasks"))[2][0])
    assert queue.xinfo_groups("tasks")[0]["lag"] is None
    assert backlog.queue() == 1 + 3


@pytest.mark.parametrize("wrong", [QueueKey("odd", "list"), QueueKey("odd", "groups")], ids=lambda key: key.type)
def test_key_of_another_type_is_unknown_and_takes_no_other_length(
    wrong: QueueKey, servers: Servers, queue: redis.Redis
) -> None:
    keys = (QueueKey("jobs", "list"), wrong, QueueKey("later", "zset"))
    with Backlog(servers.stack, msgspec.structs.replace(MANIFEST, queue=Queue(keys))) as backlog:
        queue.rpush("jobs", "a", "b")
        assert backlog.by_key() == {"jobs": 2, "odd": 0, "later": 0}  # at the start it is absent
        queue.hset("odd", "field", "value")
        assert backlog.by_key() == {"jobs": 2, "odd": None, "later": 0}
        assert backlog.queue() is None
