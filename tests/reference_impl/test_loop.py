"""No body holds the intake's event loop: its longest turn, by a clock in the process itself (`watched_ingest`)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import Servers
from tests.reference_impl import watched_ingest
from tests.reference_impl.conftest import wire

#: Seconds of CPU that one turn may take: 10 ms are what is aimed at, and as much again is for a busy machine.
LONGEST_S = 0.02
#: How often a body is posted at most. A hold of its own is in each; one of something else is not.
TIMES = 8


def noted(item: bytes, count: int) -> bytes:
    """An event with an array of so many items."""
    return wire()[:-1] + b',"note":[' + b",".join([item] * count) + b"]}"


SLOW_NUMBER = b"1.2345678901234567e-300"
EVENTS = {
    "exponents": noted(b"1e-7", 49_000),
    "numbers of 17 digits and an exponent": noted(SLOW_NUMBER, 10_000),
    "integers": noted(b"1", 125_000),
    "integers of 300 digits": noted(b"1" * 300, 830),
    "arrays": noted(b"[]", 83_000),
    "objects": noted(b'{"a":1e-7}', 22_000),
    "escaped colons": noted(b'{"a":"\\u003a"}', 16_000),
    "exponents in 8 KB": noted(b"1e-7", 1550),
    "a lone surrogate": noted(SLOW_NUMBER, 10_000)[:-1] + b',"x":"\\ud800"}',
}
BATCHES = {
    "of small events": [wire() for _ in range(10_000)],
    "of 480 bytes each": [wire(note="x" * 300) for _ in range(8000)],
    "of exponents": [noted(b"1e-7", 1550)] * 100,
    "of what is refused": [b'{"note":[1e-7,1e-7]}'] * 10_000,
    "of repeated names": [b'{"a":1,"a":2}'] * 10_000,
    "of large ones": [noted(b"1e-7", 49_000)] * 6,
}


@pytest.fixture
def clocked(servers: Servers, tmp_path: Path) -> Iterator[Callable[[str, bytes], float]]:
    """Posts a body until no turn is too long; the longest turn of the last time, in seconds."""
    port = servers.stack.take_port()
    given = {**os.environ, "REDIS_URL": servers.redis_url, "HTTP_PORT": f"{port}", "STATE_DIR": str(tmp_path)}
    child = subprocess.Popen(
        [sys.executable, "-m", watched_ingest.__name__],
        env=given,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with child, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        assert child.stdin
        assert child.stdout

        def longest() -> float:
            print(file=child.stdin, flush=True)
            return float(child.stdout.readline())  # type: ignore[union-attr]

        def post(path: str, body: bytes) -> float:
            for _ in range(TIMES):
                longest()
                assert client.post(path, content=body).status_code in (202, 207, 422)
                if (found := longest()) <= LONGEST_S:
                    break
            return found

        try:
            longest()  # answers once the loop runs
            while not _listens(client):
                pass
            yield post
        finally:
            child.terminate()


def _listens(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.alone  # beside others a turn has cold caches, and other threads of the process run on while it waits
def test_no_event_and_no_batch_holds_the_loop(clocked: Callable[[str, bytes], float]) -> None:
    took = {name: clocked("/events", body) for name, body in EVENTS.items()}
    took |= {f"a batch {name}": clocked("/events/batch", b"\n".join(lines)) for name, lines in BATCHES.items()}
    assert {name: seconds for name, seconds in took.items() if seconds > LONGEST_S} == {}
