"""The HTTP server of a process: uvicorn, extended for slow, idle and too many clients, and for offers of HTTP/2.

A connection has a deadline for the next whole head while it is idle, and a shorter one once that head has begun.
"""

import asyncio
import errno
import math
import os
import resource
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httptools
import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl import log
from reference_impl.errors import SettingsError

#: How long a connection may be idle, in seconds: longer than the pauses of clients, whose next request would fail.
KEEP_ALIVE_S = 75
#: Longest head, in bytes, beyond the part that arrived first.
MOST = 65_536
#: Descriptors that are not used for clients, and connections beyond the limit that are answered 503.
RESERVE, SPARE = 128, 32
#: Refuses HTTP/2 without negotiation: SETTINGS, and RST_STREAM of the first stream with HTTP_1_1_REQUIRED; curl obeys.
NO_HTTP2 = bytes.fromhex("000000040000000000" + "0000040300000000010000000d")
#: Time for requests under way at shutdown, in seconds.
GRACE_S = 3
#: Connections that may wait in the kernel.
BACKLOG = 2048
#: Connections accepted in one turn of the event loop; they are counted only in a later one.
ACCEPTED_AT_ONCE = 16

FULL = JSONResponse({"error": "too many connections"}, 503, {"Retry-After": "1", "Connection": "close"})


class _Server(uvicorn.Server):
    """Stops once `stopping` is set, and closes connections at their deadlines. Leaves signals to the process."""

    stopping: asyncio.Event

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(BACKLOG)  # asyncio has set it to the number of connections that it accepts at once

    async def on_tick(self, counter: int) -> bool:
        now = asyncio.get_running_loop().time()
        for connection in self.server_state.connections:
            if isinstance(connection, Connection) and connection.deadline < now:
                connection.transport.close()
        return self.stopping.is_set() or await super().on_tick(counter)


class Connection(HttpToolsProtocol):
    """A connection whose heads must arrive within `head_s`, and that counts toward the limit."""

    def __init__(self, head_s: float, most: int, **given: Any) -> None:
        super().__init__(**given)
        self._head_s, self._most = head_s, most
        self._in_head, self._bytes = False, 0  # whether a head has begun and is not whole, and its length so far

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.flow = _Flow(self)
        self.deadline = self.loop.time() + KEEP_ALIVE_S
        if len(self.connections) > self._most and not self._close_longest_idle():
            self.app = partial(_only_health, self.app)
            if len(self.connections) > self._most + SPARE:
                self.transport.abort()

    def _close_longest_idle(self) -> bool:
        """Make room for another connection; False if none is idle."""
        log.rate_limited_warning("too many connections: the longest idle ones are closed", most=self._most)
        idle = [one for one in self.connections - {self} if isinstance(one, Connection) and one.is_idle]
        if idle:
            min(idle, key=lambda one: one.deadline).transport.close()
        return bool(idle)

    @property
    def is_idle(self) -> bool:
        """Whether it has no request under way."""
        return not (bool(self.cycle) and not self.cycle.response_complete) and not self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse()
        if self._in_head and self._bytes > MOST:
            self.transport.close()

    def _feed(self, data: bytes | memoryview) -> None:
        """Parse it. An offer to change the protocol is declined: that head is parsed again without the offer."""
        while data and self.parser is not None:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as e:
                if self.parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserError from None
                version = self.parser.get_http_version().encode()
                head = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)
                head += b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade")
                self.parser.feed_data(head + b"\r\n")
                data = memoryview(data)[e.args[0] :]

    def _refuse(self) -> None:
        self._in_head = False
        if self.parser.get_method() == b"PRI":
            self.transport.write(NO_HTTP2)
            self.deadline = self.loop.time() + 1.0  # closed at once, the client may not read it
            self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end of a connection
        else:
            self.send_400_response("expected HTTP/1.1")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Stay open until the response is sent: a client may close its own side after a whole request."""
        answering = bool(self.cycle) and not self.cycle.response_complete and not self.cycle.more_body
        if answering:
            self.cycle.keep_alive = False
        return answering

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._bytes = True, 0
        self.deadline = min(self.deadline, self.loop.time() + self._head_s)  # parts of a head do not end the idle time

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._in_head, self.deadline = False, math.inf
            self._unset_keepalive_if_required()
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None and not self._in_head:  # no other request waits
            self.deadline = self.loop.time() + KEEP_ALIVE_S


class _Flow(FlowControl):
    """Reads no further while pipelined requests wait for their turn, since they would pile up."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.transport)
        self._waiting = connection.pipeline

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


async def _only_health(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """503 for every other path: all connections are in use."""
    await (app if scope["path"] == "/health" else FULL)(scope, receive, send)


def bind(host: str, port: int) -> socket.socket:
    """Bind the port before anything else starts. Raises SettingsError when the port is taken or the host is wrong."""
    try:
        socket.getaddrinfo(host, port, socket.AF_INET)
        listening = socket.create_server((host, port), backlog=BACKLOG)
    except (OSError, UnicodeError) as e:
        if isinstance(e, OSError) and e.errno in (errno.EADDRINUSE, errno.EACCES):
            why = os.strerror(e.errno)
            raise SettingsError(f"HTTP_PORT: expected a free port on {host}, got {port} ({why})") from None
        raise SettingsError(f"HTTP_HOST: expected a name or an IPv4 address of this machine, got {host!r}") from None
    # Accepted sockets inherit it. asyncio sets it only on sockets that were created with IPPROTO_TCP, and without it a
    # response in two writes waits 40 ms for the client's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


async def serve(app: ASGIApp, listening: socket.socket, stopping: asyncio.Event, head_s: float) -> None:
    """Serve until `stopping` is set, also by SIGTERM or SIGINT. The head of a request must arrive within `head_s`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    # closes the connection of a client that does not read its response
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(head_s * 1000))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    most = 65_536 if soft == resource.RLIM_INFINITY else max(soft // 2, soft - RESERVE)
    config = uvicorn.Config(
        app,
        timeout_keep_alive=KEEP_ALIVE_S,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        backlog=ACCEPTED_AT_ONCE,
        access_log=False,
        http=partial(Connection, head_s, most),  # type: ignore[arg-type]
    )
    server = _Server(config)
    server.stopping = stopping
    await server.serve([listening])
    stopping.set()
