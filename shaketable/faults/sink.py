"""A sink accepts a link's connections, reads the client's name, counts it, and closes: a service that is gone."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from shaketable.faults.round_trip import is_ours
from shaketable.op import Kind, Op
from shaketable.stack.stack import Link

#: Seconds that a client may take to say its first bytes; libpq says them at once.
OPENING_S = 0.5

_NAME = re.compile(rb"application_name\0([\w.\-]+)\0")


class Sink:
    """Listens on a port of the kernel's choice, inside the harness, for one link: on loopback by default."""

    def __init__(self, link: Link, record: Callable[[Op], None], host: str = "127.0.0.1") -> None:
        self._server = _Server((host, 0), _Handler)
        self._server.link, self._server.record = link, record
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def address(self) -> str:
        """host:port."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    link: Link
    record: Callable[[Op], None]


class _Handler(socketserver.BaseRequestHandler):
    """One attempt: an op with its process, unless it was an exchange of the harness."""

    server: _Server
    request: socket.socket

    def handle(self) -> None:
        now = time.monotonic_ns()
        opening = self._opening()
        if is_ours(opening):
            return
        link, named = self.server.link, _NAME.search(opening)
        by = named[1].decode() if named else None
        self.server.record(
            Op(
                "sink",
                Kind.SINK,
                now,
                detail={"link": link.name, "process": link.process, "service": link.service, "by": by},
            )
        )

    def _opening(self) -> bytes:
        self.request.settimeout(OPENING_S)
        try:
            return self.request.recv(1024)
        except OSError:
            return b""
