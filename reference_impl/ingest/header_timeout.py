"""The protocol of a connection: extends uvicorn's for slow, idle and too many clients, and for offers of HTTP/2.

A head that arrives whole, as they do, starts no timer.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

import httptools
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_impl import log

#: Longest head, in bytes, beyond the part that arrived first.
MOST = 65_536
#: Descriptors that are not used for clients, and connections beyond the limit that are answered 503.
RESERVE, SPARE = 128, 32
#: Refuses HTTP/2 without negotiation: SETTINGS, and RST_STREAM of the first stream with HTTP_1_1_REQUIRED; curl obeys.
NO_HTTP2 = bytes.fromhex("000000040000000000" + "0000040300000000010000000d")

FULL = JSONResponse({"error": "too many connections"}, 503, {"Retry-After": "1", "Connection": "close"})


class ConnectionLimit:
    """How many connections this process may have, and the idle ones, the longest idle first."""

    def __init__(self) -> None:
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.most = 65_536 if soft == resource.RLIM_INFINITY else max(soft // 2, soft - RESERVE)
        self.idle: dict[HeaderTimeoutProtocol, None] = {}

    def close_longest_idle(self) -> bool:
        """Make room for another connection; False if none is idle."""
        log.rate_limited_warning("too many connections: the longest idle ones are closed", most=self.most)
        if connection := next(iter(self.idle), None):
            del self.idle[connection]
            connection.transport.close()
        return connection is not None


class _Flow(FlowControl):
    """Reads no further while pipelined requests wait for their turn, since they would pile up."""

    def __init__(self, connection: HeaderTimeoutProtocol) -> None:
        super().__init__(connection.transport)
        self._waiting = connection.pipeline

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class HeaderTimeoutProtocol(HttpToolsProtocol):
    """A connection whose heads must arrive within `seconds`, and that counts toward the limit."""

    def __init__(self, seconds: float, limit: ConnectionLimit, **given: Any) -> None:
        super().__init__(**given)
        self._seconds, self._limit = seconds, limit
        self._in_head, self._bytes = False, 0  # whether a head has begun and is not whole, and its length so far
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.flow = _Flow(self)
        if len(self.connections) > self._limit.most and not self._limit.close_longest_idle():
            self.app = _only_health(self.app)
            if len(self.connections) > self._limit.most + SPARE:
                self.transport.abort()
        self._begin_idle()

    def _begin_idle(self) -> None:
        """Idle until the next whole head; parts of it do not end the idle time."""
        self._limit.idle[self] = None
        if self.timeout_keep_alive_task is None:
            close = self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, close)

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse()
        if self._in_head:
            self._late = self._late or self.loop.call_later(self._seconds, self.transport.close)
            if self._bytes > MOST:
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
            self._late = self.loop.call_later(1.0, self.transport.close)  # closed at once, the client may not read it
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

    def on_headers_complete(self) -> None:
        if not self.parser.should_upgrade():
            self._end_idle()
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._begin_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_idle()
        super().connection_lost(exc)

    def _end_idle(self) -> None:
        """A head is whole, or the connection is lost: stop all timers."""
        self._in_head = False
        self._limit.idle.pop(self, None)
        self._unset_keepalive_if_required()
        if self._late is not None:
            self._late.cancel()
            self._late = None


def _only_health(app: ASGIApp) -> ASGIApp:
    """503 for every other path: all connections are in use."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await (app if scope["path"] == "/health" else FULL)(scope, receive, send)

    return answer
