"""The server of the live page: loopback only, and only for someone who knows its address, which holds a secret."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from shaketable.cli.live.state import LiveState
from shaketable.errors import InputError
from shaketable.report.page import document

HOST = "127.0.0.1"
#: Seconds without a request after which nobody looks at the page any more.
LEFT_S = 5.0


@dataclass
class LiveServer:
    """A running server."""

    state: LiveState
    port: int
    token: str
    asked_at: float  # the last request, by time.monotonic

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.port}/{self.token}/"

    def wait_until_left(self) -> None:
        """Return as soon as no browser shows the page."""
        self.asked_at = max(self.asked_at, time.monotonic() - LEFT_S / 2)  # a page that is open asks within this time
        while time.monotonic() - self.asked_at < LEFT_S:
            time.sleep(0.1)

    def content(self, path: str) -> tuple[str, bytes] | None:
        """The type and the body of what is at a path; None for nothing."""
        secret, _, name = path.removeprefix("/").partition("/")
        if not secrets.compare_digest(secret.encode(), self.token.encode()):
            return None
        self.asked_at = time.monotonic()
        if name == "":
            return "text/html; charset=utf-8", page().encode()
        if name == "state":
            return "application/json", self.state.json()
        kind, _, number = name.partition("/")
        found = self.state.report(int(number)) if kind == "report" and number.isdecimal() and len(number) < 9 else None
        return ("text/html; charset=utf-8", found.read_bytes()) if found else None


@contextmanager
def serve(port: int = 0, state: LiveState | None = None) -> Iterator[LiveServer]:
    """Serve the page on a loopback port, 0 for a random one. Raises InputError if the port cannot be used."""
    live = LiveServer(state or LiveState(), port, secrets.token_urlsafe(16), time.monotonic())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # another name than these is a page of a stranger that resolves to loopback
            own = self.headers.get("Host") in (f"{HOST}:{live.port}", f"localhost:{live.port}")
            found = live.content(self.path) if own else None
            kind, body = found or ("text/plain", b"nothing here\n")
            self.send_response(200 if found else 404)
            headers = {"Content-Type": kind, "Content-Length": f"{len(body)}", "Cache-Control": "no-store"}
            for name, value in {**headers, "X-Content-Type-Options": "nosniff"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except (OSError, OverflowError) as e:
        raise InputError(f"expected a free loopback port for --web-port, got {port}: {e}; 0 takes a random one") from e
    live.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.05,), name="live page", daemon=True)
    thread.start()
    try:
        yield live
    finally:
        server.shutdown()
        server.server_close()


def page() -> str:
    """The page as HTML."""
    return document.render("live.html", [document.source("live.js")], connect="'self'")
