"""A user's connection to a target that may do harm: an answer is bounded in bytes and time, or is none."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import pytest

from shaketable.load.outcome import classify
from shaketable.op import Outcome
from tests.target.test_bounded_http import HEAD, Serve, endless, serve

__all__ = ["serve"]
#: In a process of its own, as Locust is; it may have 200 MB more than what it has after the imports.
USER = """
import resource, sys
from shaketable.load.http import Connection

now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (200 << 20),) * 2)
reply = Connection(sys.argv[1], float(sys.argv[2]), None, *sys.argv[3:]).send("/events", b"{}")
print(reply.status, reply.error or None, reply.length)
"""


def replied(url: str, timeout_s: float = 60, *method: str) -> str:
    command = [sys.executable, "-c", USER, url, str(timeout_s), *method]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_an_answer_is_taken(serve: Serve) -> None:
    assert replied(serve(iter([b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nyes"]))) == "202 None 3"


@pytest.mark.parametrize(
    ("first", "part"),
    [
        pytest.param(HEAD + b"\r\n", b"x" * 65_536, id="body", marks=pytest.mark.nightly),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n", id="chunks"),
        pytest.param(HEAD + b"Endless: ", b"x" * 65_536, id="header", marks=pytest.mark.nightly),
        pytest.param(HEAD, b"More: x\r\n" * 8_000, id="headers", marks=pytest.mark.nightly),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3_000, id="interim answers"),
    ],
)
def test_an_answer_without_end_is_an_error_at_once(first: bytes, part: bytes, serve: Serve) -> None:
    assert replied(serve(endless(first, part))) == "None HTTPParseError 0"


def test_an_answer_that_trickles_is_an_error_after_its_time(serve: Serve) -> None:
    began = time.monotonic()
    assert replied(serve(endless(HEAD + b"\r\n", b"x", 0.02)), 0.5) == "None Timeout 0"
    assert time.monotonic() - began < 60  # tolerance: a process starts on a busy machine; it would trickle for ever


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("then", ["closes each connection", "is gone"])
def test_a_request_that_is_read_and_not_answered_is_sent_once_and_may_have_arrived(method: str, then: str) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while server.fileno() >= 0:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return  # the test is over
                heard.append(connection.recv(10_000))
                if then == "is gone":
                    server.close()
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        status, error, _ = replied(f"http://127.0.0.1:{server.getsockname()[1]}", 60, method).split()
        if server.fileno() >= 0:
            server.shutdown(socket.SHUT_RDWR)
    assert [request.split()[0].decode() for request in heard] == [method]
    assert (status, classify(None, error).outcome) == ("None", Outcome.INDETERMINATE)
