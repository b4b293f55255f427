"""A service of the target's own: described without contradiction, started, broken, and reached by a probe."""

from __future__ import annotations

import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from shaketable.errors import HarnessError
from shaketable.stack import ports
from shaketable.stack import probe as probes
from shaketable.stack.local_server import LocalServer
from shaketable.stack.probe import exchange
from shaketable.stack.service import Service, ServiceProbe, mistakes
from shaketable.stack.service_server import ServiceServer
from shaketable.stack.stack import Address
from shaketable.stack.supervisor import Supervisor
from tests.support.waits import comes

#: A service that speaks first.
GREETING = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection, _ = server.accept()
    connection.sendall(b"HELLO from a service\\r\\n")
    connection.close()
"""
HELLO = Service("greeter", (sys.executable, "-c", GREETING, "{port}"), probe=ServiceProbe(expect="HELLO "), ready_s=60)


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (Service("Nats", ("nats", "{port}")), "lower-case"),
        (Service("ingest", ("nats", "{port}")), "none of ingest"),
        (Service("nats"), "got neither"),
        (Service("nats", ("nats", "{port}"), "127.0.0.1:1"), "got both"),
        (Service("nats", ("nats", "-p", "4222")), "contain {port}"),
        (Service("nats", address="example.org:4222"), "on this machine, got 'example.org:4222'"),
        (Service("nats", address="127.0.0.1:70000"), "on this machine"),
        (Service("nats", address="127.0.0.1:1", env="NATS-URL"), "name a variable, got 'NATS-URL'"),
        (Service("nats", address="127.0.0.1:1", url="nats://{user}@{host}"), "got {user}"),
        (Service("postgres", ("postgres", "{port}")), "built in"),
    ],
)
def test_contradiction_is_one_sentence(service: Service, told: str) -> None:
    (sentence,) = mistakes([service])
    assert told in sentence


def test_two_services_of_one_variable_are_named() -> None:
    same = [Service("a", address="127.0.0.1:1", env="URL"), Service("b", address="127.0.0.1:2", env="URL")]
    assert ["'URL' is used twice" in sentence for sentence in mistakes(same)] == [True]


@contextmanager
def listening(say: bytes, ends: bool) -> Iterator[Address]:
    """A service that says something to each client at once, and closes or waits."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as held:

        def serve() -> None:
            connection = held.enter_context(server.accept()[0])
            connection.sendall(say)
            if ends:
                connection.close()

        serving = threading.Thread(target=serve)
        serving.start()
        yield Address(*server.getsockname())
        serving.join()


@pytest.mark.parametrize(
    ("say", "ends", "probe", "how"),
    [
        (b"INFO {}", False, ServiceProbe(expect="INFO "), "answered"),
        (b"INFO {}", False, None, "answered"),
        (b"ERROR", False, ServiceProbe(expect="INFO "), "closed"),
        (b"", True, ServiceProbe(expect="INFO "), "closed"),
        (b"", False, ServiceProbe(send="PING", expect="PONG"), "silent"),
        (b"", False, None, "open"),
        (b"", True, None, "closed"),
    ],
)
def test_probe_distinguishes_how_an_exchange_ends(
    say: bytes, ends: bool, probe: ServiceProbe | None, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits_s = 0.5 if how in ("silent", "open") else 60  # what comes may come late
    monkeypatch.setattr(probes, "LISTEN_S", waits_s)
    with listening(say, ends) as at:
        assert exchange(at, probe, waits_s) == how


def test_nobody_listening_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        at = Address(*server.getsockname())
    assert exchange(at, ServiceProbe(expect="x"), 0.5) == "refused"


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with closing(Supervisor(f"test-{secrets.token_hex(4)}")) as found:
        yield found


def server(service: Service, supervisor: Supervisor, home: Path, port: int) -> ServiceServer:
    return ServiceServer(service, home / "data", home, port, home / "service.log", supervisor.spawn)


def test_service_is_started_killed_frozen_and_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    with ports.reserve() as block:
        greeter = server(HELLO, supervisor, tmp_path, block.take())
        greeter.start()
        fault = LocalServer(greeter)
        assert (greeter.answers(), fault.is_running()) == (True, True)
        fault.pause()
        assert comes(lambda: not fault.is_running())  # it stops when it is next on a CPU
        fault.resume()
        fault.kill()
        assert (greeter.answers(), fault.is_running()) == (False, False)
        fault.bring_back()
        assert greeter.answers()
        greeter.stop()


def test_service_that_never_answers_ends_in_a_sentence_and_leaves_no_process(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    mute = Service("mute", (sys.executable, "-c", "import time; time.sleep(60)", "{port}"), ready_s=0.5)
    with ports.reserve() as block:
        found = server(mute, supervisor, tmp_path, block.take())
        with pytest.raises(
            HarnessError, match=r"mute does not answer after 0\.5 s: no output: correct the command, .* 'mute'"
        ):
            found.start()
        found.stop()
        assert found.child is not None
        assert found.child.poll() is not None
