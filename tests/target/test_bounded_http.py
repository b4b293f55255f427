"""Answers of a target that may do harm: each is bounded in bytes and in time, or is none."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from shaketable.target.bounded_http import NoResponse, get, send

Serve = Callable[[Iterator[bytes]], str]
HEAD = b"HTTP/1.1 200 OK\r\n"
#: Seconds that an answer without end may take on a busy machine. Without a bound it never ends.
TOOK_S = 20
#: Seconds that an answer may take which does come.
PATIENT_S = 60


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Sends these bytes to whoever connects first, and gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(parts: Iterator[bytes]) -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1000)
                try:
                    for part in parts:
                        connection.sendall(part)
                except OSError:
                    return  # the asker has had enough

        def serving(parts: Iterator[bytes]) -> str:
            threading.Thread(target=answer, args=(parts,), daemon=True).start()
            return f"http://127.0.0.1:{server.getsockname()[1]}/health"

        yield serving


def endless(first: bytes, part: bytes, every_s: float = 0.0) -> Iterator[bytes]:
    yield first
    while True:
        time.sleep(every_s)
        yield part


def test_an_answer_is_read_whole(serve: Serve) -> None:
    answer = get(serve(iter([HEAD, b"Total-Count: 3\r\nContent-Length: 8\r\n\r\n", b'{"a":', b" 1}"])), PATIENT_S)
    assert (answer.status, answer.headers["total-count"], answer.json()) == (200, "3", {"a": 1})


@pytest.mark.parametrize("body", [b"", b'{"a":', b"1\r\n{\r\n"])
def test_response_that_breaks_off_is_none(body: bytes, serve: Serve) -> None:
    framing = b"Transfer-Encoding: chunked" if body.startswith(b"1") else b"Content-Length: 8"
    with pytest.raises(NoResponse):
        get(serve(iter([HEAD + framing + b"\r\n\r\n", body])), PATIENT_S)


@pytest.mark.parametrize("first", [HEAD, HEAD + b"Content-Length: 100000\r\n\r\n", b"HTTP"])
def test_an_answer_that_trickles_is_none_after_its_time(first: bytes, serve: Serve) -> None:
    url, began = serve(endless(first, b"x", 0.02)), time.monotonic()
    with pytest.raises(NoResponse):
        get(url, 0.3)
    assert time.monotonic() - began < TOOK_S


@pytest.mark.parametrize(
    ("first", "part"), [(HEAD + b"\r\n", b"x" * 65536), (b"", b"HTTP/1.1 100 Continue\r\n\r\n"), (HEAD, b"A: b\r\n")]
)
def test_an_answer_without_end_is_none(first: bytes, part: bytes, serve: Serve) -> None:
    url, began = serve(endless(first, part)), time.monotonic()
    with pytest.raises(NoResponse):
        get(url, 1)
    assert time.monotonic() - began < TOOK_S


def test_a_compressed_answer_is_none_and_is_not_unpacked(serve: Serve) -> None:
    bomb = gzip.compress(b"x" * 10_000_000)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with pytest.raises(NoResponse, match="Content-Encoding"):
        get(serve(iter([head, bomb])), PATIENT_S)


def test_what_is_posted_arrives_whole_and_its_answer_is_bounded_too() -> None:
    body, heard = b"x" * 3_000_000, list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for said in (b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok", HEAD + b"\r\n" + b"x" * 2_000_000):
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as file:
                    heard.append(b"".join(iter(file.readline, b"\r\n")))
                    heard.append(file.read(len(body)))
                    connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/events?a=b"
        assert send("POST", url, body, PATIENT_S).status == 202
        with pytest.raises(NoResponse):
            send("POST", url, body, PATIENT_S)
        thread.join()
    assert heard[0].startswith(b"POST /events?a=b HTTP/1.1\r\n")
    assert b"Content-Type: application/json\r\nContent-Length: 3000000\r\n" in heard[0]
    assert heard[1] == body


def test_an_answer_that_comes_before_all_was_sent_is_heard() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 20):
                    pass

        threading.Thread(target=answer, daemon=True).start()
        assert send("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", b"x" * 5_000_000, PATIENT_S).status == 413


def test_nobody_there_is_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoResponse):
        get(f"http://127.0.0.1:{port}/", 1)


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_said_so(body: bytes, serve: Serve) -> None:
    with pytest.raises(ValueError, match="JSON"):
        get(serve(iter([HEAD + b"\r\n", body])), PATIENT_S).json()
