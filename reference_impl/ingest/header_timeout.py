"""A connection: what uvicorn's own lacks for clients as they are, slow, idle, too many, or of another version of HTTP.

A head that comes whole, as they do, costs one look; only one that does not gets a timer.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import httptools
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl import log

#: Longest head, in bytes, beyond what came with its first ones.
MOST = 65_536
#: Descriptors left for everything but clients, and how many connections beyond the most are answered 503.
RESERVE, SPARE = 128, 32
#: To HTTP/2 without negotiation: SETTINGS, and RST_STREAM of the first stream with HTTP_1_1_REQUIRED; curl obeys.
NO_HTTP2 = bytes.fromhex("000000040000000000" + "0000040300000000010000000d")


class Room:
    """How many connections there may be, and which of them ask for nothing now, the longest idle one first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.idle: dict[Connection, None] = {}

    @classmethod
    def of_process(cls) -> Room:
        """As much as this process may have descriptors open, less a reserve."""
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return cls(65_536 if soft == resource.RLIM_INFINITY else max(soft // 2, soft - RESERVE))

    def make(self) -> bool:
        """Close the connection that has been idle for the longest time; whether there was one."""
        log.rate_limited_warning("too many connections: the longest idle ones are closed", most=self.most)
        for connection in self.idle:
            del self.idle[connection]
            connection.transport.close()
            return True
        return False


class _Flow(FlowControl):
    """Reads no further while a request that was read whole waits for its turn: else they would pile up."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.transport)
        self._waiting = connection.pipeline

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class Connection(HttpToolsProtocol):
    """One whose heads must come in so many seconds, and that has room, or is closed."""

    def __init__(self, seconds: float, room: Room, **given: Any) -> None:
        super().__init__(**given)
        self._seconds, self._room = seconds, room
        self._missing, self._bytes = False, 0  # whether a head has begun and is not whole, and how long it is by now
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.flow = _Flow(self)
        if len(self.connections) > self._room.most and not self._room.make():
            self.app = _full(self.app)
            if len(self.connections) > self._room.most + SPARE:
                self.transport.abort()
        self._rest()

    def _rest(self) -> None:
        """From now on it is idle; what comes, short of a whole head, does not change that."""
        self._room.idle[self] = None
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse()
        if self._missing:
            self._late = self._late or self.loop.call_later(self._seconds, self.transport.close)
            if self._bytes > MOST:
                self.transport.close()

    def _feed(self, data: bytes | memoryview) -> None:
        """Parse it. No offer to change the protocol is taken: such a request is read again without that header."""
        while data and self.parser is not None:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as e:
                if self.parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserError from None
                version = self.parser.get_http_version().encode()
                head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
                head += [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
                self.parser.feed_data(b"".join([*head, b"\r\n"]))
                data = memoryview(data)[e.args[0] :]

    def _refuse(self) -> None:
        self._missing = False
        if self.parser.get_method() == b"PRI":
            self.transport.write(NO_HTTP2)
            self._late = self.loop.call_later(1.0, self.transport.close)  # closed at once, it is not heard
            self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end of a connection
        else:
            self.send_400_response("expected HTTP/1.1")

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether it stays open: a client that has ended its own side hears the answer to what it sent."""
        answering = bool(self.cycle) and not self.cycle.response_complete and not self.cycle.more_body
        if answering:
            self.cycle.keep_alive = False
        return answering

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._missing, self._bytes = True, 0

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._settled()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._settled()
        super().connection_lost(exc)

    def _settled(self) -> None:
        """A head is whole, or nothing is waited for any more."""
        self._missing = False
        self._room.idle.pop(self, None)
        self._unset_keepalive_if_required()
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _full(app: ASGIApp) -> ASGIApp:
    """503 for everything but /health: all connections are at work."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/health":
            await app(scope, receive, send)
            return
        body = b'{"error":"too many connections"}'
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        headers += [(b"retry-after", b"1"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer
