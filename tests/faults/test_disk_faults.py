"""Faults of a disk on real servers: what they acknowledged before, what is there after, and the witness."""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
import redis

from shaketable.errors import HarnessError, NotPlayable, ScenarioError
from shaketable.evidence import durability
from shaketable.faults import DiskFull, FailingSync, PowerLoss, SlowSync
from shaketable.faults.context import RunContext
from shaketable.faults.kinds.disks.disk import DiskFault
from shaketable.stack.choice import Choice
from shaketable.stack.local import LocalStack
from shaketable.stack.local_server import LocalServer
from shaketable.stack.ports import Ports
from shaketable.stack.server_options import ServerOptions, Servers
from shaketable.stack.stack import Service
from shaketable.stack.supervisor import Supervisor
from tests.faults import own
from tests.faults.own import Sessions, written
from tests.support.cases import nightly

DISKS: frozenset[Service] = frozenset({"postgres", "redis"})
#: So often the power goes until something is lost: a starved machine may have synced all, a second later.
TRIES = 10
#: Where the library says that it failed, in its control file.
_BROKEN = 12
EVERY = [kind(service) for kind in (PowerLoss, DiskFull, SlowSync, FailingSync) for service in ("postgres", "redis")]


class DiskStacks:
    """A stack with disks for each setting of its servers, started when it is first asked for."""

    def __init__(self, logs: Path, opened: ExitStack) -> None:
        self._logs, self._open, self._made = logs, opened, dict[str, LocalStack]()

    def __call__(self, servers: Servers | None = None) -> LocalStack:
        key = str(servers)
        if key not in self._made:
            (logs := self._logs / str(len(self._made))).mkdir()
            self._made[key] = self._open.enter_context(own.started(logs, ServerOptions(servers or {}, DISKS)))
        return self._made[key]


@pytest.fixture(scope="module")
def with_disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiskStacks]:
    with ExitStack() as opened:
        yield DiskStacks(tmp_path_factory.mktemp("logs"), opened)


@pytest.fixture
def context(with_disks: DiskStacks) -> Iterator[RunContext]:
    with own.benched(with_disks()) as made:
        yield made


def added(stack: LocalStack, many: int) -> int:
    """Add so many entries to a stream; returns how many were acknowledged."""
    with redis.Redis.from_url(stack.redis_url()) as client:
        for done in range(many):
            try:
                client.xadd("events:0", {"event": str(done)})
            except redis.RedisError:
                return done
    return many


def left(stack: LocalStack) -> int:
    with redis.Redis.from_url(stack.redis_url()) as client:
        return int(client.xlen("events:0"))


def rows(session: psycopg.Connection[tuple[object, ...]]) -> int:
    (found,) = session.execute("select count(*)::text from kept").fetchall()
    return int(str(found[0]))


@pytest.mark.slow
@pytest.mark.parametrize(("policy", "lost"), [nightly(("always", False)), ("everysec", True), nightly(("no", True))])
def test_power_loss_takes_the_entries_that_valkey_had_not_synced(
    policy: str, lost: bool, with_disks: DiskStacks
) -> None:
    stack = with_disks({"redis": {"appendfsync": policy}} if policy != "always" else None)
    with own.benched(stack) as context:
        for _ in range(TRIES if lost else 1):
            stack.settle()
            before, acknowledged = left(stack), added(stack, 200)
            PowerLoss("redis").inject(context)
            seen = PowerLoss("redis").witness(context)
            PowerLoss("redis").heal(context)
            assert acknowledged == 200
            assert seen.landed
            if left(stack) < before + acknowledged:
                break
        assert (left(stack) < before + acknowledged, seen.figure > 0) == (lost, lost)
        assert durability.read(stack)["redis"]["appendfsync"] == policy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "lost"),
    [({}, False), ({"synchronous_commit": "off", "wal_writer_delay": "10s"}, True), nightly(({"fsync": "off"}, True))],
    ids=["default", "synchronous_commit off", "fsync off"],
)
def test_power_loss_takes_the_rows_that_postgres_had_not_synced(
    settings: dict[str, str], lost: bool, with_disks: DiskStacks
) -> None:
    stack = with_disks({"postgres": settings} if settings else None)
    with own.benched(stack) as context, closing(Sessions(stack)) as sessions:
        for turn in range(TRIES if lost else 1):
            stack.settle()
            session, before = sessions(), rows(sessions())
            assert [written(session, 50 * turn + number) for number in range(50)] == ["stored"] * 50
            PowerLoss("postgres").inject(context)
            seen = PowerLoss("postgres").witness(context)
            PowerLoss("postgres").heal(context)
            assert seen.landed
            if (kept := rows(sessions())) != before + 50:
                break
        assert (kept != before + 50) == lost


@pytest.mark.slow
def test_torn_power_loss_leaves_servers_that_start_with_all_that_was_synced(
    context: RunContext, with_disks: DiskStacks
) -> None:
    stack = with_disks()
    with closing(Sessions(stack)) as sessions:
        assert [written(sessions(), number) for number in range(20)] == ["stored"] * 20
        acknowledged = added(stack, 50)
        for fault in (PowerLoss("postgres", torn=True), PowerLoss("redis", torn=True, seed=2)):
            fault.inject(context)
            fault.heal(context)
        assert sessions().execute("select count(*) from kept").fetchall() == [(20,)]
        assert left(stack) == acknowledged


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: f"{fault.kind}-{fault.service}")
def test_healing_before_injecting_and_a_witness_then_are_harmless(fault: DiskFault, context: RunContext) -> None:
    fault.heal(context)
    assert not fault.witness(context).landed


def test_full_disk_of_postgres_refuses_rows_and_leaves_it_running(context: RunContext, with_disks: DiskStacks) -> None:
    with closing(Sessions(with_disks())) as sessions:
        session = sessions()
        DiskFull("postgres").inject(context)
        with pytest.raises(psycopg.errors.DiskFull):
            session.execute("create table big as select repeat('x', 1000) from generate_series(1, 10000)")
        assert DiskFull("postgres").witness(context).landed
        full = time.time()
        DiskFull("postgres").heal(context)
        assert written(sessions(), 1) == "stored"
    disk = with_disks().disk("postgres")
    assert (disk.was_hindered(full), disk.was_hindered(time.time() + 1)) == (True, False)
    assert [child.name for child in with_disks().children if child.asked_to_end and child.poll() is None] == []


@pytest.mark.parametrize("fault", [DiskFull("redis"), FailingSync("redis")], ids=lambda fault: fault.kind)
def test_valkey_that_syncs_every_write_ends_and_is_started_again_with_all_that_it_acknowledged(
    fault: DiskFault, context: RunContext, with_disks: DiskStacks
) -> None:
    stack = with_disks()
    assert added(stack, 10) == 10
    fault.inject(context)
    assert added(stack, 1) == 0
    assert fault.witness(context).landed
    fault.heal(context)
    assert left(stack) in (10, 11)  # the one that was not acknowledged may have been written


@pytest.mark.nightly
def test_failing_syncs_end_postgres_which_is_started_again_with_all_that_it_committed(
    context: RunContext, with_disks: DiskStacks
) -> None:
    with closing(Sessions(with_disks())) as sessions:
        session = sessions()
        assert written(session, 1) == "stored"
        FailingSync("postgres").inject(context)
        assert written(session, 2) != "stored"
        assert FailingSync("postgres").witness(context).landed
        FailingSync("postgres").heal(context)
        assert (1,) in sessions().execute("select id from kept").fetchall()


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_slow_syncs_are_counted(service: str, context: RunContext, with_disks: DiskStacks) -> None:
    fault = SlowSync("postgres" if service == "postgres" else "redis", ms=50)
    fault.inject(context)
    with closing(Sessions(with_disks())) as sessions:
        assert written(sessions(), 1) == "stored"
    assert added(with_disks(), 1) == 1
    seen = fault.witness(context)
    fault.heal(context)
    assert seen.landed
    assert added(with_disks(), 3) == 3
    assert fault.witness(context).figure == seen.figure


def test_library_that_is_not_loaded_makes_no_power_loss(context: RunContext, with_disks: DiskStacks) -> None:
    disk = with_disks().disk("redis")
    disk._folder, folder = disk._folder.with_name("elsewhere"), disk._folder
    try:
        assert "not loaded" in disk.problem()
    finally:
        disk._folder = folder
    assert not disk.problem()


def test_library_that_fails_at_the_last_write_makes_no_power_loss(
    context: RunContext, with_disks: DiskStacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, kill = with_disks().disk("redis"), LocalServer.kill

    def fail(server: LocalServer) -> None:
        kill(server)
        disk._control[_BROKEN] = errno.EIO

    monkeypatch.setattr(LocalServer, "kill", fail)
    try:
        PowerLoss("redis").inject(context)
        assert "failed" in PowerLoss("redis").witness(context).text
    finally:
        disk._control[_BROKEN] = 0
        PowerLoss("redis").heal(context)


def test_server_that_the_library_may_have_crashed_is_the_harness_s_failure(
    context: RunContext, with_disks: DiskStacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_disks().disk("redis"), "crashed", lambda: True)
    with pytest.raises(HarnessError, match="library of its disk"):
        PowerLoss("redis").heal(context)


def test_server_that_was_started_without_such_a_disk_cannot_be_broken(stack: LocalStack) -> None:
    with pytest.raises(ScenarioError, match="--stack local"):
        stack.disk("redis")


def test_other_stacks_do_not_play_such_a_scenario(tmp_path: Path) -> None:
    supervisor, ports = Supervisor(f"test-{secrets.token_hex(4)}"), Ports(20_000)
    try:
        with pytest.raises(NotPlayable, match="--stack local"):
            Choice("containers").open("test-none", ports, supervisor, tmp_path, print, ServerOptions(disks=DISKS))
    finally:
        supervisor.close()
