"""Faults on links, each on the real server it breaks: injected, witnessed, healed; aimed at nothing, unseen."""

from __future__ import annotations

import secrets
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import cast

import psycopg
import pytest
import redis

from shaketable.errors import ScenarioError
from shaketable.faults import Bandwidth, Down, EnqueueReplyLost, Flaky, Latency, LimitData, Reset, Silence, Slicer
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault, Witness
from shaketable.faults.round_trip import GSS_REQUEST
from shaketable.op import Op
from shaketable.stack.stack import Address, Link
from shaketable.target.target import Target
from tests.conftest import Servers
from tests.support.cases import nightly
from tests.support.waits import await_that, last

EVERY_STACK = True


class Two:
    """The only thing these faults ask of a target: which processes a name means."""

    def named(self, name: str) -> list[object]:
        found = [n for n in ("worker-1", "worker-2") if n.startswith(name)]
        if not found:
            raise ScenarioError(f"no process {name}")
        return [type("Instance", (), {"name": n})() for n in found]


@pytest.fixture
def ops() -> list[Op]:
    return []


@pytest.fixture
def links(servers: Servers) -> Iterator[list[Link]]:
    made = [servers.stack.add_link(f"worker-{n}", "postgres") for n in (1, 2)]
    yield made
    for link in made:
        servers.stack.remove_link(link)


@pytest.fixture
def context(servers: Servers, links: list[Link], ops: list[Op]) -> Iterator[RunContext]:
    with RunContext(servers.stack, cast(Target, Two()), ops.append, list) as made:
        yield made


def connects(servers: Servers, link: Link) -> bool:
    try:
        psycopg.connect(servers.stack.database_url(link, "tested.1"), connect_timeout=30).close()
    except psycopg.OperationalError:
        return False
    return True


def seen(fault: Fault, context: RunContext, landed: bool) -> Witness:
    """Its witness, once it says so: a starved machine may hold up any one exchange."""
    found = last(lambda: fault.witness(context), lambda found: found.landed is landed)
    assert found.landed is landed, found.text
    return found


FAULTS = [
    Down("postgres"),
    Down("postgres", mode="refused"),
    Latency("postgres", ms=150),
    Silence("postgres"),
    Silence("postgres", direction="answers"),
    Reset("postgres"),
    Bandwidth("postgres", kb_s=64),
    Slicer("postgres"),
    LimitData("postgres", kilobytes=8),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.label)
def test_fault_is_seen_while_it_lasts_and_not_before_or_after(fault: Fault, context: RunContext) -> None:
    seen(fault, context, False)
    fault.inject(context)
    during = seen(fault, context, True)
    fault.heal(context)
    seen(fault, context, False)
    assert (during.figure, during.unit) == (2, "of 2 links hit")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.label)
def test_healing_twice_and_before_injecting_is_harmless(fault: Fault, context: RunContext) -> None:
    fault.heal(context)
    fault.inject(context)
    fault.heal(context)
    fault.heal(context)
    context.links.check()


@pytest.mark.parametrize("mode", ["sink", "refused"])
def test_down_for_one_process_leaves_the_other_alone(
    mode: str, servers: Servers, context: RunContext, links: list[Link]
) -> None:
    fault = Down("postgres", process="worker-2", mode=mode)  # type: ignore[arg-type]
    fault.inject(context)
    assert [connects(servers, link) for link in links] == [True, False]
    fault.heal(context)
    assert connects(servers, links[1])


def test_old_session_is_cut_by_an_outage(servers: Servers, context: RunContext, links: list[Link]) -> None:
    with psycopg.connect(servers.stack.database_url(links[0], "tested.1")) as old:
        old.execute("select 1")
        Down("postgres").inject(context)
        with pytest.raises(psycopg.OperationalError):
            old.execute("select 1")
    Down("postgres").heal(context)


def test_attempts_in_an_outage_are_counted_by_who_made_them(
    servers: Servers, context: RunContext, links: list[Link], ops: list[Op]
) -> None:
    fault = Down("postgres")
    fault.inject(context)
    for _ in range(3):
        assert not connects(servers, links[0])
    fault.witness(context)  # the harness's own look is not counted
    fault.heal(context)
    assert [op.detail["by"] for op in ops] == ["tested.1"] * 3


@pytest.mark.parametrize(
    "fault",
    [
        Down("redis"),
        Latency("postgres", 5, process="nobody"),
        Down("ingest"),
        Flaky("redis"),
        EnqueueReplyLost("nobody"),
    ],
)
def test_fault_aimed_at_nothing_says_so_before_anything_is_broken(fault: Fault, context: RunContext) -> None:
    with pytest.raises(ScenarioError):
        fault.targets(context)


def test_latency_above_the_bench_s_own_patience_is_seen(context: RunContext) -> None:
    fault = Latency("postgres", 2200, process="worker-1")
    fault.inject(context)
    seen(fault, context, True)
    fault.heal(context)


def test_silence_keeps_connections_open_and_swallows_what_is_sent(
    servers: Servers, links: list[Link], context: RunContext
) -> None:
    fault = Silence("postgres", process="worker-1")
    with closing(psycopg.connect(servers.stack.database_url(links[0], "tested.1"), autocommit=True)) as old:
        fault.inject(context)
        old.pgconn.send_query(b"select 1")
        readable, _, _ = select.select([old.pgconn.socket], [], [], 0.5)
        assert not readable  # neither an answer nor an end
        fault.heal(context)
        readable, _, _ = select.select([old.pgconn.socket], [], [], 30)
        assert readable  # the end: its stream has a hole
    assert connects(servers, links[0])


def test_service_does_what_it_was_asked_while_its_answers_are_swallowed(
    servers: Servers, links: list[Link], context: RunContext
) -> None:
    fault, name = Silence("postgres", process="worker-1", direction="answers"), f"heard_{secrets.token_hex(4)}"
    with closing(psycopg.connect(servers.stack.database_url(links[0], "tested.1"), autocommit=True)) as old:
        fault.inject(context)
        old.pgconn.send_query(f"create table {name} ()".encode())
        await_that(lambda: exists(servers, name))
        assert not select.select([old.pgconn.socket], [], [], 0.2)[0]
        fault.heal(context)


def exists(servers: Servers, name: str) -> bool:
    with psycopg.connect(servers.stack.admin_url()) as admin:
        return admin.execute("select to_regclass(%s)", [name]).fetchone() != (None,)


@pytest.mark.parametrize("kind", ["reset", "closed"])
def test_a_reset_is_a_reset_and_no_end(kind: str, servers: Servers, links: list[Link], context: RunContext) -> None:
    (Reset("postgres") if kind == "reset" else Down("postgres")).inject(context)
    with socket.create_connection((links[0].listen.host, links[0].listen.port), timeout=30) as connection:
        connection.sendall(GSS_REQUEST)
        with pytest.raises(ConnectionResetError) if kind == "reset" else nullcontext():
            assert connection.recv(1) == b""
    (Reset("postgres") if kind == "reset" else Down("postgres")).heal(context)


@pytest.mark.parametrize("other", [Down("postgres"), Down("postgres", mode="refused"), Reset("postgres")])
def test_silence_is_not_seen_where_connections_end(other: Fault, context: RunContext) -> None:
    other.inject(context)
    seen(other, context, True)
    seen(Silence("postgres"), context, False)
    other.heal(context)


def test_answers_of_a_service_that_hangs_up_after_each_are_seen_to_be_swallowed(
    servers: Servers, context: RunContext
) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        link = servers.stack.add_link("clients", "ingest", Address("127.0.0.1", server.server_port))
        fault = Silence("ingest", direction="answers")
        seen(fault, context, False)
        fault.inject(context)
        during = seen(fault, context, True)
        fault.heal(context)
        servers.stack.remove_link(link)
        server.shutdown()
    assert "no answer (closed) through" in during.text


def test_one_process_alone_is_silent_and_the_witness_tells_how(context: RunContext) -> None:
    Silence("postgres", process="worker-2").inject(context)
    told = Down("postgres").witness(context)
    assert (told.landed, told.figure) == (False, 0)
    assert "worker-2-postgres: no answer (silent) through" in told.text
    Silence("postgres", process="worker-2").heal(context)


def test_one_absence_without_return_is_no_witness_of_a_flaky_link(context: RunContext) -> None:
    fault = Flaky("postgres", down_ms=60_000)
    fault.inject(context)
    await_that(lambda: fault.witness(context).figure == 1)
    assert not fault.witness(context).landed
    fault.heal(context)
    context.links.check()


def test_flaky_link_is_seen_to_come_and_go(servers: Servers, context: RunContext) -> None:
    fault = Flaky("postgres", down_ms=100, up_ms=100)
    assert not fault.witness(context).landed
    fault.inject(context)
    await_that(lambda: fault.witness(context).figure >= 2 and context.scratch["flaky.postgres.all.back"] >= 1)
    fault.heal(context)
    gone = fault.witness(context).figure
    context.links.check()
    assert fault.witness(context).figure == gone


def answers(client: redis.Redis) -> bool:
    with suppress(redis.TimeoutError):
        return bool(client.ping())
    return False


@pytest.mark.parametrize("write", ["xadd events * n 1", nightly("set seen 1 nx")])  # or a key of the intake's own
def test_writes_are_done_unheard_while_the_queue_s_replies_are_lost(
    servers: Servers, context: RunContext, write: str
) -> None:
    fault = EnqueueReplyLost("worker-1")
    link = servers.stack.add_link("worker-1", "redis")
    with redis.Redis.from_url(servers.stack.redis_link_url(link), socket_timeout=0.3) as client:
        await_that(lambda: answers(client))
        fault.inject(context)
        with redis.Redis.from_url(servers.stack.redis_url()) as worker:  # beats, reads a head, puts an entry away
            worker.pexpire("lease", 1000)
            worker.eval("return redis.call('XRANGE', KEYS[1], '-', '+')", 1, "events")
            worker.xack("events", "workers", "0-1")
        unwritten = fault.witness(context)
        assert (unwritten.landed, unwritten.figure) == (False, 0)
        with pytest.raises(redis.TimeoutError):
            client.execute_command(*write.split())
        done = seen(fault, context, True)
        fault.heal(context)
    assert done.figure == 1
    with redis.Redis.from_url(servers.stack.redis_url()) as client:
        assert client.exists(write.split()[1])
    servers.stack.remove_link(link)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Flaky("redis", down_ms=0),
        lambda: Bandwidth("redis", 0),
        lambda: Slicer("redis", 0),
        lambda: LimitData("redis", 0),
    ],
)
def test_link_fault_that_is_none_is_refused(make: Callable[[], Fault]) -> None:
    with pytest.raises(ScenarioError, match="got 0"):
        make()
