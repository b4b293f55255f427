"""A relay passes every byte on, and springs its trap once, at the message of its point."""

from __future__ import annotations

import gc
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from shaketable.crash_points.point import Point, When
from shaketable.crash_points.relay import Relay, Then, Trap
from shaketable.errors import HarnessError
from shaketable.stack.stack import Address

XADD = b"*2\r\n$4\r\nXADD\r\n$1\r\nx\r\n"
PING = b"*1\r\n$4\r\nPING\r\n"


class Service(socketserver.ThreadingTCPServer):
    """Replies +OK to each command, and remembers all that it got."""

    allow_reuse_address, daemon_threads = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Replying)
        self.got, self.ended = bytearray(), threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Replying(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Service)
        while data := self.request.recv(1 << 16):
            self.server.got += data
            self.request.sendall(b"+OK\r\n" * data.count(b"*"))
        self.server.ended.set()


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as made:
        yield made
        made.shutdown()


@pytest.fixture
def relay(service: Service) -> Iterator[Relay]:
    made = Relay("worker-1")
    yield made
    made.close()


def free() -> Address:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


@pytest.fixture
def client(relay: Relay, service: Service) -> Iterator[socket.socket]:
    """A connection of the process to the service "redis"."""
    at = free()
    relay.listen("redis", at, Address("127.0.0.1", service.server_address[1]))
    with socket.create_connection((at.host, at.port), timeout=60) as made:
        yield made


def said(client: socket.socket, length: int) -> bytes:
    """What the process hears, until so many bytes or the end."""
    found = b""
    try:
        while len(found) < length and (data := client.recv(length - len(found))):
            found += data
    except ConnectionResetError:
        pass
    return found


def trap(relay: Relay, when: When, then: Then, sprung: Callable[[], None] = lambda: None) -> Trap:
    def spring() -> Then:
        sprung()
        return then

    made = Trap(Point("worker-1", "redis", "XADD", when), spring)
    relay.arm(made)
    return made


def test_messages_and_replies_pass_and_are_noted(relay: Relay, client: socket.socket, service: Service) -> None:
    client.sendall(XADD + PING + XADD)
    assert said(client, 15) == b"+OK\r\n" * 3
    assert bytes(service.got) == XADD + PING + XADD
    counts = {(point.message, point.when): seen.count for point, seen in relay.seen.items()}
    assert counts == {("XADD", "before"): 2, ("PING", "before"): 1, ("XADD", "after"): 2, ("PING", "after"): 1}


def test_trap_before_a_message_keeps_it_from_the_service(relay: Relay, client: socket.socket, service: Service) -> None:
    made = trap(relay, "before", Then.DROP)
    client.sendall(PING + XADD)
    assert said(client, 10) in (b"", b"+OK\r\n")  # the reset may overtake the reply to PING
    assert made.sprung_at is not None
    assert service.ended.wait(30)
    assert bytes(service.got) == PING


def test_trap_after_a_reply_lets_the_message_through_and_drops_the_reply(
    relay: Relay, client: socket.socket, service: Service
) -> None:
    made = trap(relay, "after", Then.DROP)
    client.sendall(XADD)
    assert said(client, 5) == b""
    assert made.sprung_at is not None
    assert service.ended.wait(30)
    assert bytes(service.got) == XADD


def test_trap_springs_once_and_a_new_connection_passes(relay: Relay, client: socket.socket, service: Service) -> None:
    times: list[int] = []
    trap(relay, "before", Then.PASS, lambda: times.append(1))
    client.sendall(XADD + XADD)
    assert said(client, 10) == b"+OK\r\n" * 2
    assert times == [1]


def test_held_message_reaches_the_service_once_the_trap_is_taken_away(
    relay: Relay, client: socket.socket, service: Service
) -> None:
    sprung = threading.Event()
    trap(relay, "before", Then.HOLD, sprung.set)
    client.sendall(XADD)
    assert sprung.wait(30)
    assert bytes(service.got) == b""
    relay.disarm()
    assert said(client, 5) == b"+OK\r\n"


def test_trap_that_is_taken_away_while_it_springs_has_sprung(relay: Relay, client: socket.socket) -> None:
    begun, go_on, order = threading.Event(), threading.Event(), list[str]()

    def spring() -> None:
        begun.set()
        go_on.wait(30)
        order.append("sprung")

    trap(relay, "before", Then.HOLD, spring)
    client.sendall(XADD)
    assert begun.wait(30)
    heal = threading.Thread(target=relay.disarm, args=(lambda: order.append("resumed"),))
    heal.start()
    heal.join(0.2)  # time to do it wrongly
    go_on.set()
    heal.join(30)
    assert order == ["sprung", "resumed"]
    assert said(client, 5) == b"+OK\r\n"


def test_mark_forgets_the_messages_before_it(relay: Relay, client: socket.socket) -> None:
    client.sendall(XADD)
    said(client, 5)
    relay.mark()
    client.sendall(PING)
    said(client, 5)
    assert {point.message for point in relay.seen} == {"PING"}


@pytest.mark.slow
def test_large_messages_pass_in_both_directions_at_once(relay: Relay, client: socket.socket, service: Service) -> None:
    many = 20_000  # the process reads nothing until it has sent all: neither direction may block the other
    sender = threading.Thread(target=client.sendall, args=(PING * many,))
    sender.start()
    assert said(client, 5 * many) == b"+OK\r\n" * many
    sender.join()


def test_service_that_is_away_closes_the_connection(relay: Relay) -> None:
    at = free()
    relay.listen("redis", at, free())
    with socket.create_connection((at.host, at.port), timeout=60) as made:
        assert said(made, 1) == b""


def test_port_in_use_is_an_error_that_names_it(relay: Relay, service: Service) -> None:
    used = Address("127.0.0.1", service.server_address[1])
    with pytest.raises(HarnessError, match=str(used.port)):
        relay.listen("redis", used, used)


def test_closing_ends_every_connection_without_a_word(
    relay: Relay, client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    client.sendall(PING)
    said(client, 5)
    began = time.monotonic()
    relay.close()
    assert said(client, 1) == b""
    assert time.monotonic() - began < 30
    assert caplog.records == []


def test_reply_comes_although_the_process_has_ended_its_side(relay: Relay) -> None:
    at = free()
    with socket.create_server(("127.0.0.1", 0)) as service:
        relay.listen("redis", at, Address("127.0.0.1", service.getsockname()[1]))
        with socket.create_connection((at.host, at.port), timeout=60) as client:
            accepted, _ = service.accept()
            with accepted:
                client.sendall(PING)
                client.shutdown(socket.SHUT_WR)
                while accepted.recv(1 << 16):  # up to the end, which the relay passes on
                    pass
                relay.listen("redis", free(), Address("127.0.0.1", 1))  # its thread has done all before
                gc.collect()  # no part of the connection may be garbage
                accepted.sendall(b"+OK\r\n")
                assert said(client, 5) == b"+OK\r\n"
