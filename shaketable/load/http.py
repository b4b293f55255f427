"""A user's connection to the target. Only locustfiles import it, because it requires gevent.

It does not use Locust's FastHttpSession, whose wrapper around the same HTTP client is half the cost of a request.
"""

from __future__ import annotations

import select
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.monkey import get_original
from geventhttpclient import HTTPClient
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPParseError, HTTPResponse

from shaketable.load.outcome import advised
from shaketable.load.reply import Reply

#: Headers of each request; a target's own may replace them.
HEADERS = {"Content-Type": "application/json"}
#: The largest response in bytes.
MOST = 1 << 20
#: The pool's size, once it is built, is read only for the number of further attempts, which is one more. The library
#: would send a PUT again when a connection closes without an answer, and the last attempt's error would hide that the
#: first one may have arrived.
NEVER_AGAIN = -1

_poll = get_original("select", "poll")


def _is_silent(_: ConnectionPool, sock: Any) -> bool:
    """Whether an idle connection is still open and has no unread data.

    The client library uses select(), which fails for descriptors above 1023: with more users, each request would open
    a new connection.
    """
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


ConnectionPool._is_socket_alive = _is_silent  # type: ignore[assignment,method-assign]  # replaced on purpose


def _feed(self: HTTPResponse, data: bytes) -> None:
    """Feed received bytes to the parser, up to MOST for head, body and interim responses together."""
    self.taken = getattr(self, "taken", 0) + len(data)  # type: ignore[attr-defined]
    if self.taken > MOST:  # type: ignore[attr-defined]
        raise HTTPParseError(f"expected a response of at most {MOST:,} bytes, got more")
    _unbounded(self, data)


_unbounded = HTTPResponse.feed
HTTPResponse.feed = _feed  # type: ignore[assignment,method-assign]  # replaced on purpose


class Connection:
    """A keep-alive connection, opened by the first request. It neither retries nor follows redirects."""

    def __init__(
        self, host: str, timeout_s: float, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> None:
        self._host, self._timeout_s, self._method = host, timeout_s, method
        self._headers = {**HEADERS, **(headers or {})}
        self._base = urlsplit(host).path.rstrip("/")  # a proxy's path prefix
        self._http = self._fresh()

    def _fresh(self) -> HTTPClient:
        seconds = self._timeout_s
        client = HTTPClient.from_url(
            self._host, connection_timeout=seconds, network_timeout=seconds, headers=self._headers
        )
        client._connection_pool.size = NEVER_AGAIN
        return client

    def send(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        """Send the body, with `headers` besides the usual ones, and return the response or the error."""
        try:
            # The client's own timeout applies to each read: a target that responds slowly would occupy a user forever.
            with gevent.Timeout(2 * self._timeout_s):
                response = self._http.request(self._method, self._base + path, body, headers)
                advised_s = advised(str(response.get("retry-after") or ""))
                content = bytes(response.read())
                return Reply(response.status_code, length=len(content), advised_s=advised_s, content=content)
        except (Exception, gevent.Timeout) as e:
            self._http.close()
            self._http = self._fresh()  # the old connection may hold a partial response
            return Reply(None, type(e).__name__)
