"""A real Toxiproxy that really wedges, behind a client that does not read, is mended within a stated bound."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import psutil
import pytest
import redis

from shaketable.clock import SECOND
from shaketable.errors import HarnessError
from shaketable.faults import round_trip
from shaketable.op import Kind, Op
from shaketable.stack.stack import Link
from shaketable.stack.toxiproxy.client import CALL_S, Toxiproxy
from shaketable.stack.toxiproxy.repair import RECOVERY_S, RepairingToxiproxy
from tests.conftest import Servers

#: Bytes of an answer that nobody reads: far more than sockets and toxics buffer.
MUCH = 40_000_000
LATENCY = {"latency": 50, "jitter": 0}


@pytest.fixture
def links(servers: Servers) -> Iterator[tuple[Link, Link]]:
    made = servers.stack.add_link("deaf", "redis"), servers.stack.add_link("other", "redis")
    yield made
    for link in made:
        servers.stack.remove_link(link)


@pytest.fixture
def ops(servers: Servers) -> Iterator[list[Op]]:
    seen: list[Op] = []
    servers.stack.toxiproxy.record = seen.append
    yield seen
    servers.stack.toxiproxy.record = id


def deafen(servers: Servers, link: Link) -> redis.Connection:
    """A client of the link that asks for much and reads nothing; returns once nothing flows any more."""
    redis.Redis.from_url(servers.redis_url).set("much", b"x" * MUCH)
    connection = redis.Redis.from_url(servers.stack.redis_link_url(link)).connection_pool.get_connection()
    connection.send_command("GET", "much")  # type: ignore[no-untyped-call]
    await_silence(servers, link)
    return connection


def await_silence(servers: Servers, link: Link) -> None:
    """Wait until all buffers on the way are full: for 0.4 s no byte more leaves Valkey for that client.

    An exchange on the same way shows that neither server was merely held up.
    """
    sent, now, deadline = -1, 0, time.monotonic() + 30
    with redis.Redis.from_url(servers.redis_url) as asks:
        while sent != now or not now:
            assert time.monotonic() < deadline, "it reads on and on"
            time.sleep(0.4)
            assert round_trip.round_trip_ms("redis", link.listen, 30) is not None
            sent, now = now, sum(int(each["tot-net-out"]) for each in asks.client_list() if each["cmd"] == "get")


def is_wedged(servers: Servers) -> bool:
    try:
        Toxiproxy(servers.stack.toxiproxy.host, servers.stack.toxiproxy.port).proxies()
    except HarnessError:
        return True
    return False


def toxics(servers: Servers, link: Link) -> dict[str, dict[str, int]]:
    told = servers.stack.toxiproxy.proxies()[servers.stack.proxy(link)]
    return {toxic["name"]: toxic["attributes"] for toxic in told["toxics"]}


@pytest.mark.slow
def test_without_recovery_the_server_wedges(servers: Servers, links: tuple[Link, Link]) -> None:
    name = servers.stack.proxy(links[0])
    servers.stack.toxiproxy.add_toxic(name, "slow", "latency", LATENCY)
    bare, client = Toxiproxy(servers.stack.toxiproxy.host, servers.stack.toxiproxy.port), deafen(servers, links[0])
    with pytest.raises(HarnessError, match="does not answer"):
        bare.remove_toxic(name, "slow")
    assert is_wedged(servers)
    bare.delete(name)
    assert not is_wedged(servers)
    bare.create(name, str(links[0].listen), str(links[0].upstream))
    client.disconnect()  # type: ignore[no-untyped-call]


def test_toxic_is_taken_off_although_a_client_does_not_read(
    servers: Servers, links: tuple[Link, Link], ops: list[Op]
) -> None:
    deaf, other = links
    server, name = servers.stack.toxiproxy, servers.stack.proxy(deaf)
    server.add_toxic(name, "slow", "latency", LATENCY)
    server.add_toxic(name, "stays", "latency", {"latency": 20, "jitter": 0})
    server.add_toxic(servers.stack.proxy(other), "its own", "latency", {"latency": 1, "jitter": 0})
    client, began = deafen(servers, deaf), time.monotonic()
    server.remove_toxic(name, "slow")
    took = time.monotonic() - began
    assert CALL_S <= took < RECOVERY_S
    assert toxics(servers, deaf) == {"stays": {"latency": 20, "jitter": 0}}
    assert toxics(servers, other) == {"its own": {"latency": 1, "jitter": 0}}
    through = min(round_trip.round_trip_ms("redis", deaf.listen, 30) or 0 for _ in range(9))  # others make some longer
    assert 20 <= through < 20 + LATENCY["latency"]
    (op,) = ops
    assert (op.kind, op.detail) == (Kind.REPAIR, {"proxy": name, "how": "recreated"})
    assert CALL_S * SECOND <= (op.ended_at or 0) - op.invoked_at <= took * SECOND
    client.disconnect()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("change", [pytest.param("add", marks=pytest.mark.slow), "aim", "disable"])
def test_any_change_comes_through_although_a_client_does_not_read(
    change: str, servers: Servers, links: tuple[Link, Link], ops: list[Op]
) -> None:
    server, name = servers.stack.toxiproxy, servers.stack.proxy(links[0])
    client = deafen(servers, links[0])
    if change == "add":
        server.add_toxic(name, "slow", "latency", LATENCY)
        assert toxics(servers, links[0]) == {"slow": LATENCY}
        assert [op.detail["how"] for op in ops] == ["recreated"]
    elif change == "aim":
        server.aim(name, "127.0.0.1:9")
        assert server.proxies()[name]["upstream"] == "127.0.0.1:9"
    else:
        server.enable(name, False)
        assert server.proxies()[name]["enabled"] is False
    client.disconnect()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGSTOP, marks=pytest.mark.slow), signal.SIGKILL],
    ids=lambda number: number.name,
)
def test_server_that_is_frozen_or_gone_is_restarted_with_all_proxies_as_they_should_be(
    number: signal.Signals, servers: Servers, links: tuple[Link, Link], ops: list[Op]
) -> None:
    deaf, other = links
    server = servers.stack.toxiproxy
    server.add_toxic(servers.stack.proxy(other), "its own", "latency", LATENCY)
    server.enable(servers.stack.proxy(other), False)
    os.kill(listener(server), number)
    began = time.monotonic()
    server.add_toxic(servers.stack.proxy(deaf), "slow", "latency", LATENCY)
    assert time.monotonic() - began < RECOVERY_S
    assert [op.detail["how"] for op in ops] == ["restarted"]
    assert (toxics(servers, deaf), toxics(servers, other)) == ({"slow": LATENCY}, {"its own": LATENCY})
    assert server.proxies()[servers.stack.proxy(other)]["enabled"] is False


@pytest.mark.slow
@pytest.mark.parametrize("change", ["add", "disable"])
def test_server_that_was_only_held_up_is_not_repaired(
    change: str, servers: Servers, links: tuple[Link, Link], ops: list[Op]
) -> None:
    deaf, other = links
    server, held = servers.stack.toxiproxy, listener(servers.stack.toxiproxy)
    with redis.Redis.from_url(servers.stack.redis_link_url(other), single_connection_client=True) as client:
        before = client.client_id()
        os.kill(held, signal.SIGSTOP)
        threading.Timer(CALL_S + 1, os.kill, [held, signal.SIGCONT]).start()
        if change == "add":
            server.add_toxic(servers.stack.proxy(deaf), "slow", "latency", LATENCY)
            assert toxics(servers, deaf) == {"slow": LATENCY}
        else:
            server.enable(servers.stack.proxy(deaf), False)
            assert server.proxies()[servers.stack.proxy(deaf)]["enabled"] is False
        assert client.client_id() == before  # no connection was cut
    assert ops == []


def listener(server: Toxiproxy) -> int:
    """The server's process: whoever listens at its address."""
    return next(
        c.pid
        for c in psutil.net_connections("tcp")
        if c.pid and c.status == "LISTEN" and c.laddr and c.laddr.port == server.port
    )


def test_server_that_is_not_ours_is_not_restarted_and_the_error_says_what_to_do() -> None:
    server = RepairingToxiproxy("127.0.0.1", 9)
    with pytest.raises(HarnessError, match="restart it"):
        server.create("a", "127.0.0.1:0", "127.0.0.1:9")


def test_what_the_server_refuses_is_not_wanted_later(servers: Servers, links: tuple[Link, Link], ops: list[Op]) -> None:
    server, name = servers.stack.toxiproxy, servers.stack.proxy(links[0])
    with pytest.raises(Exception, match="invalid toxic type"):
        server.add_toxic(name, "odd", "gravity", {"g": 1})
    os.kill(listener(server), signal.SIGKILL)
    server.add_toxic(name, "slow", "latency", LATENCY)
    assert toxics(servers, links[0]) == {"slow": LATENCY}


@pytest.mark.parametrize("change", ["add", "aim"])
def test_proxy_that_the_server_lost_is_made_anew(
    change: str, servers: Servers, links: tuple[Link, Link], ops: list[Op]
) -> None:
    server, name = servers.stack.toxiproxy, servers.stack.proxy(links[0])
    Toxiproxy(server.host, server.port).delete(name)
    if change == "add":
        server.add_toxic(name, "slow", "latency", LATENCY)
        assert toxics(servers, links[0]) == {"slow": LATENCY}
    else:
        server.aim(name, "127.0.0.1:9")
        assert server.proxies()[name]["upstream"] == "127.0.0.1:9"
    assert [op.detail["how"] for op in ops] == ["recreated"]
