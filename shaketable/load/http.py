"""A user's connection to the target. Imported by locustfiles alone: it is gevent's, as Locust is.

Not Locust's FastHttpSession: what that puts around the same HTTP client is half the cost of a request.
"""

from __future__ import annotations

import select
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import gevent
from gevent.monkey import get_original
from geventhttpclient import HTTPClient
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPParseError, HTTPResponse

from shaketable.load.outcome import advised

HEADERS = {"Content-Type": "application/json"}
#: Bytes that an answer of the target's may have.
MOST = 1 << 20

_poll = get_original("select", "poll")


def _is_silent(_: ConnectionPool, sock: Any) -> bool:
    """Whether a kept connection is open and silent.

    The client's own test is select(), which fails from descriptor 1024 on: with more users than that, each request
    would open a connection of its own.
    """
    poll = _poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


ConnectionPool._is_socket_alive = _is_silent  # type: ignore[assignment,method-assign]  # replaced on purpose


def _feed(self: HTTPResponse, data: bytes) -> None:
    """Take what was received, of head, body and interim answers together, up to MOST bytes of an answer."""
    self.taken = getattr(self, "taken", 0) + len(data)  # type: ignore[attr-defined]
    if self.taken > MOST:  # type: ignore[attr-defined]
        raise HTTPParseError(f"expected an answer of at most {MOST:,} bytes, got more")
    _unbounded(self, data)


_unbounded = HTTPResponse.feed
HTTPResponse.feed = _feed  # type: ignore[assignment,method-assign]  # replaced on purpose


class Reply(NamedTuple):
    """What came of a request."""

    status: int | None
    error: BaseException | None
    length: int = 0
    advised_s: float = 0.0  # how long to wait before another try


class Connection:
    """Kept open from request to request, opened by the first. Nothing is tried twice and no redirect is followed."""

    def __init__(self, host: str, timeout_s: float) -> None:
        self._host, self._timeout_s = host, timeout_s
        self._base = urlsplit(host).path.rstrip("/")  # what a proxy puts before all paths
        self._http = self._fresh()

    def _fresh(self) -> HTTPClient:
        seconds = self._timeout_s
        return HTTPClient.from_url(self._host, connection_timeout=seconds, network_timeout=seconds, headers=HEADERS)

    def post(self, path: str, body: bytes) -> Reply:
        """The answer, or the error that came instead."""
        try:
            # The client's own time-out is for each read: a target that answers drop by drop would keep a user for ever.
            with gevent.Timeout(2 * self._timeout_s):
                response = self._http.post(self._base + path, body)
                return Reply(
                    response.status_code, None, len(response.read()), advised(str(response.get("retry-after") or ""))
                )
        except (Exception, gevent.Timeout) as e:
            self._http.close()
            self._http = self._fresh()  # what is left of the old connection may hold half an answer
            return Reply(None, e)
