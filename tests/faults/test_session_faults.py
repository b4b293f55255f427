"""Faults on sessions and locks, each on a real server that no other test uses: injected, witnessed, healed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import psycopg
import pytest
import redis

from shaketable.errors import HarnessError, ScenarioError
from shaketable.faults import ClientPause, Deadlock, ExhaustConnections, KillClients, LockTable, TerminateBackends
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault
from shaketable.faults.kinds.client_pause import PAUSE_MS, SEEN_MS
from shaketable.faults.kinds.exhaust_connections import _limit
from shaketable.stack.local import LocalStack
from tests.faults import own
from tests.faults.own import Aimed, Sessions, written
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
def session(context: RunContext, stack: LocalStack) -> Iterator[Sessions]:
    with closing(Sessions(stack)) as opened:
        yield opened


@pytest.fixture
def queue(stack: LocalStack) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stack.redis_url()) as client:
        yield client


FAULTS: list[Fault] = [
    TerminateBackends(),
    LockTable(),
    LockTable("share"),
    Deadlock(),
    ExhaustConnections(),
    ClientPause(),
    KillClients(),
]


@pytest.mark.parametrize("fault", cases(FAULTS, each_change=FAULTS[:2]), ids=lambda fault: fault.label)
def test_healing_twice_and_before_injecting_is_harmless(
    fault: Fault, context: RunContext, session: Sessions, queue: redis.Redis
) -> None:
    fault.heal(context)
    fault.inject(context)
    fault.heal(context)
    fault.heal(context)
    context.links.check()
    assert written(session(), 1) == "stored"
    assert queue.xadd("events:0", {"event": "1"})


@pytest.mark.parametrize("fault", [LockTable(), Deadlock(), TerminateBackends("worker-2")], ids=lambda f: f.kind)
def test_fault_that_meets_nobody_has_not_landed(fault: Fault, context: RunContext) -> None:
    fault.inject(context)
    seen = fault.witness(context)
    fault.heal(context)
    assert (seen.landed, seen.figure) == (False, 0)


@pytest.mark.parametrize("fault", [LockTable(), Deadlock()], ids=lambda fault: fault.kind)
def test_fault_on_a_relation_that_nobody_names_says_so(
    fault: Fault, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fault.targets(context) == ["kept"]
    monkeypatch.setattr(Aimed.manifest.stored, "relation", None)
    with pytest.raises(ScenarioError, match="relation"):
        fault.targets(context)


@pytest.mark.parametrize("fault", [ExhaustConnections(), ClientPause(), KillClients()], ids=lambda fault: fault.kind)
def test_fault_on_a_server_of_somebody_else_says_so(
    fault: Fault, context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_ours(_: str) -> None:
        raise ScenarioError("this stack cannot break it")

    assert len(fault.targets(context)) == 2
    monkeypatch.setattr(context.services, "server", not_ours)
    with pytest.raises(ScenarioError):
        fault.targets(context)


def test_sessions_of_nobody_are_refused_as_an_aim(context: RunContext) -> None:
    with pytest.raises(ScenarioError, match="nobody"):
        TerminateBackends("nobody").targets(context)


def test_sessions_of_one_process_are_ended_again_and_again_and_others_left_alone(
    context: RunContext, session: Sessions
) -> None:
    hit, spared, fault = session("worker-1"), session("worker-2"), TerminateBackends("worker-1", every_s=0.2)
    fault.inject(context)
    again = opened(session, "worker-1")
    assert comes(lambda: fault.witness(context).figure >= 2)
    fault.heal(context)
    assert [written(hit, 1), written(again, 2), written(spared, 3)] == ["57P01", "57P01", "stored"]
    assert written(session("worker-1"), 4) == "stored"


def opened(session: Sessions, process: str) -> psycopg.Connection[tuple[object, ...]]:
    """A session, although some are ended while they log in."""
    for _ in range(100):
        with suppress(psycopg.OperationalError):
            return session(process)
    pytest.fail("none was let in")


@pytest.mark.parametrize(("mode", "reads"), [("share", True), ("access exclusive", False)])
def test_who_waits_for_the_lock_is_seen(mode: str, reads: bool, context: RunContext, session: Sessions) -> None:
    fault, writer, reader = LockTable(mode), session(), session("worker-2")  # type: ignore[arg-type]
    fault.inject(context)
    reader.execute("set lock_timeout = 200")
    waiting = threading.Thread(target=written, args=(writer, 1))
    waiting.start()
    assert comes(lambda: fault.witness(context).figure == 1)
    with suppress(psycopg.errors.LockNotAvailable):
        reader.execute("select count(*) from kept")
        assert reads
    fault.heal(context)
    waiting.join(60)
    assert not fault.witness(context).landed
    assert session().execute("select id from kept").fetchall() == [(1,)]


def test_lock_that_is_not_got_in_time_says_so(
    context: RunContext, session: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shaketable.faults.kinds.sessions.ASK_S", 1)
    session().execute("insert into kept values (1)")  # and never commits
    with pytest.raises(HarnessError, match="kept could not be locked"):
        LockTable().inject(context)


def test_writer_is_the_victim_of_the_deadlock_and_may_try_again(context: RunContext, session: Sessions) -> None:
    fault, writer = Deadlock(every_s=0.1), session()
    fault.inject(context)
    told: list[str] = []

    def was_the_victim() -> bool:
        told.append(written(writer, len(told)))
        return told[-1] == "40P01"

    assert comes(was_the_victim)
    assert set(told) <= {"40P01", "stored"}
    writer.close()  # a session tells its statistics once a second, or when it ends
    assert comes(lambda: fault.witness(context).landed)
    fault.heal(context)
    assert written(session(), 9999) == "stored"


@pytest.mark.slow
def test_no_connection_is_left_for_the_target_and_all_are_given_back(context: RunContext, session: Sessions) -> None:
    pooled, fault = session(), ExhaustConnections()
    before = fault.witness(context)
    fault.inject(context)
    during = fault.witness(context)
    assert written(pooled, 1) == "57P01"
    with pytest.raises(psycopg.OperationalError, match="slots"):
        session()
    fault.heal(context)
    assert comes(lambda: not fault.witness(context).landed)
    assert written(session(), 2) == "stored"
    assert [before.landed, during.landed] == [False, True]
    assert during.text == "a connect is refused for want of a slot, 0 sessions left"


def waited(queue: redis.Redis) -> float:
    """Milliseconds that a command waits for its answer."""
    began = time.monotonic()
    queue.ping()
    return (time.monotonic() - began) * 1000


def test_paused_valkey_lets_commands_wait_for_longer_than_one_pause(context: RunContext, queue: redis.Redis) -> None:
    fault = ClientPause()
    assert not fault.witness(context).landed
    fault.inject(context)
    waits: list[float] = []

    def waited_twice() -> bool:
        """Once for most of a pause; between two of them commands are answered."""
        waits.append(waited(queue))
        return sum(ms > SEEN_MS for ms in waits) >= 2 and max(waits) > PAUSE_MS / 2

    assert comes(waited_twice)
    assert fault.witness(context).landed
    fault.heal(context)

    def answered_at_once() -> bool:
        """After a healing; a busy machine may delay any one answer."""
        fault.inject(context)
        fault.heal(context)
        return waited(queue) < SEEN_MS

    assert comes(answered_at_once)


def test_connections_of_others_are_killed_and_counted_and_the_harness_keeps_its_own(
    context: RunContext, stack: LocalStack, queue: redis.Redis
) -> None:
    with redis.Redis.from_url(stack.redis_url(), client_name="shaketable") as ours:
        number, others = ours.client_id(), queue.client_id()
        fault = KillClients(every_s=0.1)
        fault.inject(context)
        assert comes(lambda: fault.witness(context).figure >= 1)
        fault.heal(context)
        assert ours.client_id() == number
        assert queue.client_id() != others


@pytest.mark.parametrize("kind", [TerminateBackends, Deadlock, KillClients])
def test_fault_that_would_never_rest_is_refused(kind: type[KillClients]) -> None:
    with pytest.raises(ScenarioError, match="every_s"):
        kind(every_s=0)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Deadlock(), ExhaustConnections()], ids=lambda fault: fault.kind)
def test_what_a_fault_repeats_may_fail_and_it_is_healed_all_the_same(
    fault: Fault, context: RunContext, session: Sessions
) -> None:
    class Dead:
        def close(self) -> None:
            raise HarnessError("a turn failed")

    fault.inject(context)
    context.keep_open(fault.kind, Dead())
    if fault.kind == "exhaust_connections":
        _limit(context, 0)
    with pytest.raises(HarnessError, match="a turn failed"):
        fault.heal(context)
    assert written(session(), 1) == "stored"
    with psycopg.connect(context.services.admin_url) as admin:
        assert admin.execute("select 1 from pg_trigger where tgname = 'shaketable_deadlock'").fetchone() is None


def test_nobody_s_connections_are_none_that_were_killed(context: RunContext, stack: LocalStack) -> None:
    link = next(ln for ln in stack.links if ln.service == "redis")
    with redis.Redis.from_url(stack.redis_url(), client_name="shaketable") as ours:
        assert comes(lambda: {c["name"] for c in ours.client_list()} == {"shaketable"})  # those of before are gone
        fault = KillClients(every_s=0.05)
        fault.inject(context)
        assert context.links.transfer_ms(link, True, 1000) is not None  # the harness's own
        with socket.create_connection((link.listen.host, link.listen.port), timeout=30) as exchange:
            exchange.sendall(b"PING shaketable\r\n")
            assert exchange.recv(100).startswith(b"-NOAUTH")
            exchange.settimeout(0.3)
            with pytest.raises(TimeoutError):  # nobody closes it
                exchange.recv(1)
        seen = fault.witness(context)
        fault.heal(context)
    assert (seen.landed, seen.figure) == (False, 0)
