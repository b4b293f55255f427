"""A server on loopback that takes the bodies which a target posts: the part that all receivers share."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from shaketable.stack.stack import Address

#: The most bytes of a body.
MOST = 16 << 20
#: Seconds that a part of a body may take, and that an idle connection stays open: longer than a client keeps one.
REQUEST_S = 120.0
#: The most bytes of a line before or after a chunk.
_LINE = 1_024
#: The path that serves what was received.
RECEIVED = "/received"
#: The path to which the faults' witnesses post, so that no receiver and no intake may have it.
WITNESS = "/shaketable-witness"


class UnreadableBody(Exception):
    """A body that the receiver cannot read."""


class BodyServer(ABC):
    """Gives each body that is posted to `path` to `record`. Use as a context manager."""

    def __init__(self, port: int, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._server = ReceivingServer(("127.0.0.1", port), BodyHandler)
        self._server.receiver = self
        self.address = Address("127.0.0.1", self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()

    @abstractmethod
    def record(self, body: bytes) -> None:
        """Take a body. Raises UnreadableBody."""

    def page(self, offset: int, limit: int) -> tuple[int, bytes]:  # noqa: ARG002
        """The number of all bodies, and the lines of one page; by default none can be read back."""
        return 0, b""


class ReceivingServer(ThreadingHTTPServer):
    """The server of one receiver, each connection on a thread."""

    daemon_threads = True
    request_queue_size = 128
    receiver: BodyServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that a fault broke is no error of the harness."""


class BodyHandler(BaseHTTPRequestHandler):
    """Reads whole bodies, which may come in chunks."""

    protocol_version = "HTTP/1.1"
    timeout = REQUEST_S
    server: ReceivingServer

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        encoded = self.headers.get("Content-Encoding", "identity").lower() != "identity"
        if not chunked and (not length.isdecimal() or int(length) > MOST):
            self._refuse(413 if length.isdecimal() else 411)
            return
        body = self._chunks() if chunked else self.rfile.read(int(length))
        if body is None or (not chunked and len(body) < int(length)):
            self.close_connection = True  # torn, so it was not delivered
        elif urlsplit(self.path).path != self.server.receiver.path:
            self._answer(404)
        elif encoded or len(body) > MOST:
            self._refuse(415 if encoded else 413)
        else:
            self._record(body)

    def _record(self, body: bytes) -> None:
        try:
            self.server.receiver.record(body)
        except UnreadableBody:
            self._answer(400)
        else:
            self._answer(204)

    def _chunks(self) -> bytes | None:
        """A body in chunks (RFC 9112, 7.1), up to a byte more than `MOST`; None for a torn or malformed one."""
        body = bytearray()
        try:
            while size := int(self.rfile.readline(_LINE).partition(b";")[0], 16):
                if size < 0 or len(body) + size > MOST:
                    return bytes(MOST + 1) if size > 0 else None
                part = self.rfile.read(size)
                if len(part) < size or self.rfile.readline(_LINE).strip():
                    return None
                body += part
            while self.rfile.readline(_LINE).strip():
                pass  # trailers
        except ValueError:
            return None
        return bytes(body)

    def _refuse(self, status: int) -> None:
        """Answer, and close the connection: the rest of the body is not read."""
        self.close_connection = True
        self._answer(status)

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path != RECEIVED:
            self._answer(404)
            return
        query = parse_qs(asked.query)
        offset, limit = (int(query.get(name, ["0"])[0]) for name in ("offset", "limit"))
        count, found = self.server.receiver.page(offset, limit)
        self._answer(200, found, {"Total-Count": str(count), "Content-Type": "application/x-ndjson"})

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""
