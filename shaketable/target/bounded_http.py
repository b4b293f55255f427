"""HTTP requests to the target, bounded in bytes and in time from connecting to the last byte.

The timeout of an HTTP client restarts with each byte, and a few compressed bytes can expand without bound. Here one
deadline covers the whole exchange, and only uncompressed responses are accepted.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

#: The most bytes of a response's body.
MOST = 1 << 20


class NoResponse(Exception):
    """No response, or none within the bounds."""


@dataclass(frozen=True)
class BoundedResponse:
    """A complete response within the bounds."""

    status: int
    headers: dict[str, str]  # names in lower case
    content: bytes

    @property
    def text(self) -> str:
        """The body as text; undecodable bytes are replaced."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not JSON."""
        try:
            return msgspec.json.decode(self.content)
        except (msgspec.DecodeError, RecursionError) as e:
            raise ValueError(f"expected JSON: {e}") from e


def get(url: str, within_s: float, *, most: int = MOST, **query: object) -> BoundedResponse:
    """GET a URL on this machine. Raises NoResponse for a missing, late, torn, too large or compressed response."""
    return _ask(url, _request("GET", url, urlencode(query)), within_s, most)


def send(
    method: str, url: str, body: bytes, within_s: float, headers: Mapping[str, str] | None = None
) -> BoundedResponse:
    """Send JSON to a URL on this machine. Raises NoResponse as `get` does."""
    named = {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(body))}
    more = (f"{name}: {value}" for name, value in named.items())
    return _ask(url, _request(method, url, "", *more) + body, within_s, MOST)


def _ask(url: str, request: bytes, within_s: float, most: int) -> BoundedResponse:
    deadline, parts = time.monotonic() + within_s, urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), within_s) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may refuse before it has read everything
                connection.sendall(request)
            response = HTTPResponse(_Bounded(connection, deadline))  # type: ignore[arg-type]
            with response:
                response.begin()
                headers = {name.lower(): value for name, value in response.getheaders()}
                if headers.get("content-encoding", "identity").lower() != "identity":
                    raise NoResponse(f"expected no Content-Encoding, got {headers['content-encoding']!r}")
                content = response.read(most + 1)
                if response.length and len(content) <= most:
                    raise NoResponse(f"the response broke off {response.length:,} bytes before its end")
    except (OSError, HTTPException, ValueError) as e:
        raise NoResponse(str(e) or type(e).__name__) from e
    if len(content) > most:
        raise NoResponse(f"expected at most {most:,} bytes, got more")
    return BoundedResponse(response.status, headers, content)


def _request(method: str, url: str, query: str, *more: str) -> bytes:
    parts = urlsplit(url)
    asked = "?".join(filter(None, (parts.path or "/", "&".join(filter(None, (parts.query, query))))))
    head = ("Accept: */*", "Accept-Encoding: identity", "Connection: close", "User-Agent: shaketable")
    return "\r\n".join((f"{method} {asked} HTTP/1.1", f"Host: {parts.netloc}", *head, *more, "", "")).encode()


class _Bounded(io.RawIOBase):
    """A connection as a file with a read deadline; `HTTPResponse` uses it as a socket."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if (left := self._deadline - time.monotonic()) <= 0:
            raise TimeoutError("no complete response in time")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
