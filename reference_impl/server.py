"""The HTTP server of a process: uvicorn, on loopback unless HTTP_HOST names another, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import errno
import hmac
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgspec
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_impl import log, metrics
from reference_impl.errors import SettingsError
from reference_impl.head import Bounded
from reference_impl.transition import Transitions
from reference_impl.vitals import Watch

#: Longer than any client pauses between two requests: a connection closed meanwhile would break one.
KEEP_ALIVE_S = 75
#: Paths that ask for no token: what watches a process has none, and they carry no event.
OPEN = frozenset({"/health", "/metrics", "/breaker/transitions"})
#: Seconds that requests under way are given at the end.
GRACE_S = 3


class _Server(uvicorn.Server):
    """Leaves the signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def bind(host: str, port: int) -> socket.socket:
    """Take the port before anything else is begun. Raises SettingsError when somebody has it, or the host is wrong."""
    wrong_host = SettingsError(f"HTTP_HOST: expected a name or an IPv4 address of this machine, got {host!r}")
    try:
        socket.getaddrinfo(host, port, socket.AF_INET)
        listening = socket.create_server((host, port), backlog=2048)
    except (socket.gaierror, UnicodeError):
        raise wrong_host from None
    except OSError as e:
        if e.errno == errno.EADDRNOTAVAIL:
            raise wrong_host from None
        raise SettingsError(
            f"HTTP_PORT: expected a free port on {host}, got {port} ({os.strerror(e.errno or 0)})"
        ) from None
    # Accepted sockets inherit it. asyncio would set it only on sockets made with IPPROTO_TCP, and without it an answer
    # in two writes waits 40 ms for the client's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def heed_signals(stopping: asyncio.Event) -> None:
    """SIGTERM and SIGINT set it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)


async def serve(app: ASGIApp, listening: socket.socket, stopping: asyncio.Event, head_s: float) -> None:
    """Answer until `stopping` is set; SIGTERM and SIGINT set it. Heads of requests must come within `head_s`."""
    heed_signals(stopping)
    config = uvicorn.Config(
        app, timeout_keep_alive=KEEP_ALIVE_S, access_log=False, log_config=None, lifespan="off", ws="none",
        timeout_graceful_shutdown=GRACE_S, http=partial(Bounded, head_s),  # type: ignore[arg-type]
    )  # fmt: skip
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    await asyncio.wait([serving, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.set()
    await serving


def guarded(app: ASGIApp, token: str) -> ASGIApp:
    """401 for whoever does not bring the token, where one is set; what nobody foresaw is logged, and answered 500."""
    asking = _asking(app, token) if token else app

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await asking(scope, receive, noting)
        except Exception as e:
            log.crash("a request met a defect", e)
            metrics.REFUSED.labels("500").inc()
            if begun:
                raise  # half an answer is none: the server closes the connection
            told = {"error": "a defect, which is logged: nobody knows what became of it"}
            await json(told, 500)(scope, receive, send)

    return guard


def _asking(app: ASGIApp, token: str) -> ASGIApp:
    """Who knocks at another than the open paths is asked for the token."""
    wanted = f"Bearer {token}".encode()

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"]).get(b"authorization", b"")
        if scope["path"] in OPEN or hmac.compare_digest(given, wanted):
            await app(scope, receive, send)
        else:
            metrics.REFUSED.labels("401").inc()
            told = {"error": "authorization: expected the bearer token"}
            await json(told, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)

    return ask


def json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def telling(watch: Watch) -> list[Route]:
    """What every process tells of itself: /health and /metrics."""

    async def health(_: Request) -> Response:
        return json(watch.status())

    async def exposition(_: Request) -> Response:
        watch.status()  # brings the gauges up to date
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health", health), Route("/metrics", exposition)]


def transitions(seen: Transitions) -> Route:
    """The breaker's last transitions, oldest first, as JSON lines."""

    async def lines(_: Request) -> Response:
        return Response(b"".join(msgspec.json.encode(t) + b"\n" for t in seen.seen), media_type="application/x-ndjson")

    return Route("/breaker/transitions", lines)
