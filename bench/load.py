"""The load: `python -m bench.load PORT EVENTS` sends events as fast as they are answered, from a process of its own.

Each keep-alive connection has one request under way, as a client of its own would. A request costs two system calls
and little else, so that the intake is measured and not the client.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from itertools import islice

from bench.events import bodies

#: Requests are made ready this many at a time: enough that it is cheap, few enough that memory stays flat.
READY = 1000


def requests(events: Iterator[bytes], lines: int) -> Iterator[bytes]:
    """Requests of one event each, or of a batch of so many lines."""
    head = "POST /events%s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    path = "/batch" if lines > 1 else ""
    while batch := list(islice(events, lines)):
        body = b"\n".join(batch)
        yield (head % (path, len(body))).encode() + body


class Client:
    """One connection: sends the next request once the last is answered."""

    def __init__(self, port: int, left: Iterator[bytes], ids: set[str] | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left, self._began, self._answer = left, 0.0, b""
        self.took: list[float] = []  # seconds
        self.accepted = 0
        self._ids = ids  # of accepted events, when somebody wants to know

    def send(self) -> bool:
        """Send the next one; whether there was one."""
        request = next(self._left, None)
        if request is None:
            self.socket.close()
            return False
        self._began = time.perf_counter()
        self.socket.sendall(request)
        return True

    def receive(self) -> bool:
        """Take what came; whether the answer is whole."""
        self._answer += self.socket.recv(1 << 20)
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or not _whole(head.lower(), body):
            return False
        self.took.append(time.perf_counter() - self._began)
        self.accepted += head.startswith(b"HTTP/1.1 202") or body.count(b'"status":202')
        if self._ids is not None and head.startswith(b"HTTP/1.1 202"):
            self._ids.add(json.loads(body)["eventId"])
        self._answer = b""
        return True


def _whole(head: bytes, body: bytes) -> bool:
    """Whether the body is complete: by its length, or by its last chunk (Node.js sends chunks)."""
    if b"\r\ntransfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0] or 0)


def play(
    port: int, events: Iterator[bytes], connections: int, lines: int, ids: set[str] | None = None
) -> dict[str, float]:
    """Send all of them; how many were accepted, in how many seconds, and the times of the requests in ms.

    `ids` gets those of events accepted alone.
    """
    left = requests(events, lines)
    clients = [Client(port, left, ids) for _ in range(connections)]
    poll = selectors.DefaultSelector()
    began = time.time()
    open_ = 0
    for client in clients:
        if client.send():
            poll.register(client.socket, selectors.EVENT_READ, client)
            open_ += 1
    while open_:
        for key, _ in poll.select():
            client = key.data
            if client.receive():
                fd = key.fd
                if not client.send():
                    poll.unregister(fd)
                    open_ -= 1
    took = sorted(ms * 1000 for client in clients for ms in client.took)
    accepted = sum(client.accepted for client in clients)
    return {
        "accepted": accepted,
        "began": began,
        "seconds": time.time() - began,
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[len(took) * 99 // 100],
    }


def main() -> None:
    """Send, and print what came of it as one JSON line."""
    parser = argparse.ArgumentParser("python -m bench.load", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("events", type=int)
    parser.add_argument("--connections", type=int, default=64, help="keep-alive connections (64)")
    parser.add_argument("--lines", type=int, default=1, help="events a request (1); more go to /events/batch")
    parser.add_argument("--salt", type=int, default=0, help="other ids")
    given = parser.parse_args()
    json.dump(play(given.port, bodies(given.events, given.salt), given.connections, given.lines), sys.stdout)


if __name__ == "__main__":
    main()
