"""Warm servers whose disks can be broken: the next world has disks that are whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis

from shaketable.errors import NotPlayable
from shaketable.faults import DiskFull, FailingSync, PowerLoss, SlowSync
from shaketable.faults.context import RunContext
from shaketable.faults.kinds.disks.disk import DiskFault, Server
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.stack import Service, Stack
from shaketable.stack.warm import WarmServers
from tests.faults.own import ignore
from tests.stack.test_warm import opened, quiet, seen, target
from tests.support.cases import cases

pytestmark = pytest.mark.slow

#: The services whose disks can be broken, and the faults that do so.
SERVERS: tuple[Server, ...] = ("postgres", "redis")
BOTH: frozenset[Service] = frozenset(SERVERS)
DISKS: list[DiskFault] = [kind(each) for kind in (DiskFull, FailingSync, PowerLoss, SlowSync) for each in SERVERS]


@pytest.fixture(scope="module")
def with_disks() -> Iterator[WarmServers]:
    """Their disks can be broken."""
    with WarmServers(quiet, BOTH) as servers:
        yield servers


@pytest.mark.parametrize("fault", cases(DISKS, [FailingSync("redis")]), ids=repr)
def test_disk_fault_that_was_never_healed_does_not_reach_the_next_trial(
    fault: DiskFault, with_disks: WarmServers, tmp_path: Path
) -> None:
    world = partial(opened, with_disks, tmp_path, options=ServerOptions(disks=BOTH))
    with world() as stack:
        clean = seen(stack)
        stack.settle()
        with target(stack, tmp_path) as made, RunContext(stack, made, ignore, list) as context:
            fault.inject(context)
            with suppress(psycopg.Error, redis.RedisError):
                write(stack)
    with world() as stack:
        assert seen(stack) == clean
        write(stack)
        assert not any(child.asked_to_end or child.poll() is not None for child in stack.children)
        assert not any(stack.disk(service).problem() for service in BOTH)


def write(stack: Stack) -> None:
    """A write to each server that its disk must take, and sync."""
    with psycopg.connect(stack.owner_url(), autocommit=True, connect_timeout=30) as owner:
        owner.execute("create table written (word text); insert into written values (repeat('x', 100000))")
    redis.from_url(stack.redis_url(), socket_timeout=30).set("written", "x" * 100_000)


def test_servers_without_disks_refuse_a_scenario_that_breaks_one(tmp_path: Path) -> None:
    with (
        WarmServers(quiet) as warm,
        pytest.raises(NotPlayable),
        opened(warm, tmp_path, options=ServerOptions(disks=BOTH)),
    ):
        pass
