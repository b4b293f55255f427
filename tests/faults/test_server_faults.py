"""Faults inside the servers, each on a real one that no other test uses: injected, witnessed, healed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis

from shaketable.errors import HarnessError, ScenarioError
from shaketable.evidence.observe import received
from shaketable.faults import EvictionPolicy, OutOfMemory, PostgresCrash, ReadOnly, ValkeyCrash
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault
from shaketable.stack.local import LocalStack
from tests.faults import own
from tests.faults.own import Sessions, written
from tests.support.cases import cases
from tests.support.waits import comes

EVERY_STACK = True


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with own.started(tmp_path_factory.mktemp("logs")) as running:
        yield running


@pytest.fixture
def context(stack: LocalStack) -> Iterator[RunContext]:
    with own.benched(stack) as made:
        yield made


@pytest.fixture
def queue(stack: LocalStack) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stack.redis_url()) as client:
        yield client


@pytest.fixture
def session(context: RunContext, stack: LocalStack) -> Iterator[Sessions]:
    with closing(Sessions(stack)) as opened:
        yield opened


FAULTS: list[Fault] = [PostgresCrash(), ValkeyCrash(), ReadOnly(), OutOfMemory(), EvictionPolicy()]


@pytest.mark.parametrize("fault", cases(FAULTS, each_change=FAULTS[2:4]), ids=lambda fault: fault.kind)
def test_healing_twice_and_before_injecting_is_harmless(
    fault: Fault, context: RunContext, queue: redis.Redis, session: Sessions
) -> None:
    fault.heal(context)
    fault.inject(context)
    fault.heal(context)
    fault.heal(context)
    assert comes(lambda: not fault.witness(context).landed)  # once a reload has reached the server
    context.links.check()
    assert written(session(), 1) == "stored"
    assert queue.xadd("events:0", {"event": "1"})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_fault_on_a_server_of_somebody_else_says_so(
    fault: Fault, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ours(_: str) -> None:
        raise ScenarioError("this stack cannot break it")

    assert fault.targets(context)
    monkeypatch.setattr(context.services, "server", not_ours)
    with pytest.raises(ScenarioError):
        fault.targets(context)


@pytest.mark.parametrize("fault", [PostgresCrash(), ValkeyCrash()], ids=lambda fault: fault.kind)
def test_crash_is_seen_while_it_lasts_and_not_before_or_after(fault: Fault, context: RunContext) -> None:
    before = fault.witness(context)
    fault.inject(context)
    during = fault.witness(context)
    fault.heal(context)
    assert [before.landed, during.landed, fault.witness(context).landed] == [False, True, False]
    assert during.text == "no process, no answer"


def test_what_postgres_committed_survives_its_crash_and_what_was_open_does_not(
    session: Sessions, context: RunContext
) -> None:
    committed, open_ = session(), session("worker-2")
    assert written(committed, 1) == "stored"
    open_.execute("insert into kept values (2)")
    PostgresCrash().inject(context)
    assert written(committed, 3) == "lost"
    PostgresCrash().heal(context)
    assert session().execute("select id from kept").fetchall() == [(1,)]


@pytest.mark.slow
def test_postgres_comes_back_although_a_backend_was_computing(session: Sessions, context: RunContext) -> None:
    busy = session()
    busy.pgconn.send_query(b"select count(*) from generate_series(1, 1000000000)")
    PostgresCrash().inject(context)
    PostgresCrash().heal(context)
    active = "select count(*) from pg_stat_activity where state = 'active' and pid <> pg_backend_pid()"
    assert session().execute(active.encode()).fetchone() == (0,)


def test_postgres_syncs_every_commit(stack: LocalStack) -> None:
    with psycopg.connect(stack.admin_url()) as admin:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        assert [admin.execute(f"show {name}".encode()).fetchone() for name in names] == [("on",)] * 3


def test_what_valkey_acknowledged_survives_its_crash(context: RunContext, queue: redis.Redis) -> None:
    for number in range(50):
        queue.xadd("events:0", {"event": str(number)})
    ValkeyCrash().inject(context)
    with pytest.raises(redis.ConnectionError):
        queue.ping()
    ValkeyCrash().heal(context)
    assert queue.xlen("events:0") == 50


def test_statement_torn_by_a_crash_is_none(tmp_path: Path) -> None:
    log = tmp_path / "postgres.log"
    whole = "1795539600.123|7|worker-1.1|LOG:  duration: 0.5 ms\n"
    log.write_text(whole + "1795539600.200|7|worker-1.1|LOG:  duration: 0.1795539601.0|8|worker-2.1|LOG:  x\n" + whole)
    assert [row["what"] for row in received(log)] == ["statement"] * 2


def test_read_only_postgres_refuses_old_sessions_and_new_ones(session: Sessions, context: RunContext) -> None:
    old, fault = session(), ReadOnly()
    assert not fault.witness(context).landed
    fault.inject(context)
    assert comes(lambda: fault.witness(context).landed)
    assert comes(lambda: written(old, 1) == "25006")
    assert written(session(), 2) == "25006"
    fault.heal(context)
    assert comes(lambda: written(old, 3) == "stored")  # once the reload has reached it
    assert comes(lambda: not fault.witness(context).landed)


def test_read_only_that_a_session_overrides_has_not_landed(
    context: RunContext, monkeypatch: pytest.MonkeyPatch, stack: LocalStack
) -> None:
    monkeypatch.setattr(stack, "owner_url", stack.admin_url)
    with psycopg.connect(stack.admin_url(), autocommit=True) as admin:
        admin.execute("alter role postgres set default_transaction_read_only = off")
        ReadOnly().inject(context)
        assert not ReadOnly().witness(context).landed
        ReadOnly().heal(context)
        admin.execute("alter role postgres reset default_transaction_read_only")


def test_full_valkey_refuses_writes_and_gives_what_it_holds(context: RunContext, queue: redis.Redis) -> None:
    held, fault = queue.xadd("events:0", {"event": "1"}), OutOfMemory()
    fault.inject(context)
    assert not fault.witness(context).landed  # nobody has written yet
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        queue.xadd("events:0", {"event": "2"})
    seen = fault.witness(context)
    assert (seen.landed, seen.figure, seen.text) == (True, 1, "1 write refused, 0 keys evicted")
    assert queue.xdel("events:0", held) == 1
    fault.heal(context)
    assert queue.xadd("events:0", {"event": "3"})


def test_memory_that_a_failed_heal_did_not_give_back_is_given_back_by_the_next(
    context: RunContext, queue: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = OutOfMemory()
    fault.inject(context)
    with monkeypatch.context() as patched:
        patched.setattr(type(context.services), "redis_url", "redis://127.0.0.1:1/0")
        with pytest.raises(HarnessError):
            fault.heal(context)
    fault.heal(context)
    assert queue.xadd("events:0", {"event": "1"})


def test_valkey_evicts_by_its_policy_once_memory_is_short(context: RunContext, queue: redis.Redis) -> None:
    queue.xadd("events:0", {"event": "1"})
    policy, pressure = EvictionPolicy("allkeys-random"), OutOfMemory()
    before = policy.witness(context)
    policy.inject(context)
    assert [before.landed, policy.witness(context).landed, queue.exists("events:0")] == [False, True, 1]
    pressure.inject(context)
    with pytest.raises(redis.exceptions.OutOfMemoryError):  # nothing is left to evict
        queue.set("one more", "1")
    assert queue.exists("events:0") == 0
    assert "1 key evicted" in pressure.witness(context).text
    pressure.heal(context)
    policy.heal(context)


def test_policy_that_keeps_everything_is_refused() -> None:
    with pytest.raises(ScenarioError, match="noeviction"):
        EvictionPolicy("noeviction")
