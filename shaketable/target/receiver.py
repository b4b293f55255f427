"""The harness's receiver of webhooks: it records each delivery before it answers 204, and serves what it has.

`POST path` is a delivery; `GET /received?offset=0&limit=1000` gives what was received, as NDJSON and in pages, as
`readers.pages` reads it.
"""

from __future__ import annotations

import tempfile
import threading
import time
from array import array
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import msgspec

from shaketable.stack.stack import Address
from shaketable.target.readers import ndjson

#: The most bytes of a delivery.
MOST = 16 << 20
#: Seconds that a part of a delivery may take, and that an idle connection stays open: longer than a client keeps one.
REQUEST_S = 120.0
#: The most bytes of a line before or after a chunk.
_LINE = 1_024
#: The path that serves what was received.
RECEIVED = "/received"

#: Line ends are white space in JSON: within a string they are escaped.
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class Receiver:
    """A server on loopback. Use as a context manager. `event` and `id_` are JSON Pointers into a delivery."""

    def __init__(self, port: int, path: str, event: str = "", id_: str = "/eventId") -> None:
        self.path = path
        self._event, self._id = event, id_
        self._ends = array("q", [0])  # where each line ends, in bytes
        self._lines = tempfile.TemporaryFile()  # noqa: SIM115 # closed by `close`
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self.address = Address("127.0.0.1", self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The URL that serves what was received, without a link."""
        return f"http://{self.address}{RECEIVED}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server; what was received is gone."""
        self._server.shutdown()
        self._server.server_close()
        self._lines.close()

    def record(self, body: bytes) -> None:
        """Append a delivery: its id, its content unchanged, its number and the time of receipt."""
        event = ndjson.at(body, self._event)
        written = None if event is None else ndjson.at(event, self._id)
        line = {
            "event_id": msgspec.Raw(written or b"null"),
            "event": msgspec.Raw(event.translate(_ON_ONE_LINE)) if event is not None else body.decode(errors="replace"),
            "committed_at": time.time_ns() // 1000,
        }
        with self._lock:
            encoded = msgspec.json.encode({**line, "position": len(self._ends) - 1}) + b"\n"
            self._lines.write(encoded)
            self._ends.append(self._ends[-1] + len(encoded))

    def page(self, offset: int, limit: int) -> tuple[int, bytes]:
        """The number of all deliveries, and the lines of one page."""
        with self._lock:
            count = len(self._ends) - 1
            first, last = min(offset, count), min(offset + limit, count)
            self._lines.seek(self._ends[first])
            found = self._lines.read(self._ends[last] - self._ends[first])
            self._lines.seek(self._ends[-1])
            return count, found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    receiver: Receiver

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that a fault broke is no error of the harness."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = REQUEST_S
    server: _Server

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
            self.server.receiver.record(body)
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
