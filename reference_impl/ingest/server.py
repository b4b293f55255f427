"""The HTTP server of a process: uvicorn, on loopback unless HTTP_HOST names another, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import errno
import hmac
import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from urllib.parse import urlsplit

import msgspec
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_impl import log
from reference_impl.errors import SettingsError
from reference_impl.ingest.header_timeout import Connection, Room
from reference_impl.operations import metrics
from reference_impl.operations.monitor import HealthMonitor
from reference_impl.resilience.transition_log import Transitions
from reference_impl.settings import Settings

#: Longer than any client pauses between two requests: a connection closed meanwhile would break one. So long may one
#: say nothing.
KEEP_ALIVE_S = 75
#: Paths that ask for no token: what watches a process has none, and they carry no event.
OPEN = frozenset({"/health", "/metrics", "/breaker/transitions"})
#: Seconds that requests under way are given at the end.
GRACE_S = 3
#: Connections that may wait in the kernel.
BACKLOG = 2048
#: Connections accepted at once: those of a turn of the event loop are counted only in a later one.
ACCEPTED_AT_ONCE = 16
#: What an event may come as. A page may send text, forms and multipart to anybody, without asking.
JSON_TYPES = (b"application/json", b"application/x-ndjson")


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
        listening = socket.create_server((host, port), backlog=BACKLOG)
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
    # nobody who does not read his answer holds it, and a connection, for longer
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(head_s * 1000))
    config = uvicorn.Config(
        app,
        timeout_keep_alive=KEEP_ALIVE_S,
        access_log=False,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        backlog=ACCEPTED_AT_ONCE,
        http=partial(Connection, head_s, Room.of_process()),  # type: ignore[arg-type]
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0)
    listening.listen(BACKLOG)  # the kernel's queue, which create_server made as short as what is accepted at once
    await asyncio.wait([serving, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.set()
    await serving


def guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Answer what `_refusal` refuses; what nobody foresaw is logged, and answered 500."""
    refusal = _refusal(settings)

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            refused = refusal(scope)
            await (refused or app)(scope, receive, noting)
        except Exception as e:
            log.unexpected("a request met a defect", e)
            metrics.REFUSED.labels("500").inc()
            if begun:
                raise  # half an answer is none: the server closes the connection
            told = {"error": "a defect, which is logged: nobody knows what became of it"}
            await json(told, 500)(scope, receive, send)

    return guard


def _refusal(settings: Settings) -> Callable[[Scope], Response | None]:
    """Why a request is not for this process: what a page in a browser could send unasked, and who brings no token.

    Of pages come a foreign Origin, a Host that is a name of theirs (which they let point here), and the types of body
    that need no leave. An address as Host is nobody's name.
    """
    wanted = f"Bearer {settings.bearer_token}".encode()
    origins = {origin.encode() for origin in settings.http_allowed_origins}

    @lru_cache(64)
    def ours(host: bytes) -> bool:
        with suppress(ValueError):
            name = urlsplit(f"//{host.decode('latin-1')}").hostname or "localhost"
            return name in ("localhost", *settings.http_allowed_hosts) or bool(ipaddress.ip_address(name))
        return False

    def refusal(scope: Scope) -> Response | None:
        given = dict(scope["headers"])
        if scope["path"] in OPEN:
            return None
        if (origin := given.get(b"origin")) is not None and origin not in origins:
            return _refused(given, 403, "origin: expected none, or one of HTTP_ALLOWED_ORIGINS")
        if settings.bearer_token:
            if not hmac.compare_digest(given.get(b"authorization", b""), wanted):
                return _refused(given, 401, "authorization: expected the bearer token", {"WWW-Authenticate": "Bearer"})
        elif not ours(given.get(b"host", b"")):
            return _refused(given, 403, "host: expected localhost, an address, or one of HTTP_ALLOWED_HOSTS")
        if (kind := given.get(b"content-type")) and kind.partition(b";")[0].strip().lower() not in JSON_TYPES:
            return _refused(given, 415, "content-type: expected application/json or application/x-ndjson")
        if given.get(b"content-encoding", b"identity").lower() != b"identity":
            return _refused(given, 415, "content-encoding: expected none")
        return None

    return refusal


def _refused(given: dict[bytes, bytes], status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    """Answered before the body was read: of a client that waits for leave to send it, nobody knows whether it will."""
    metrics.REFUSED.labels(f"{status}").inc()
    close = {"Connection": "close"} if b"expect" in given else {}
    return json({"error": why}, status, {**close, **(headers or {})})


def json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def telling(monitor: HealthMonitor) -> list[Route]:
    """What every process tells of itself: /health and /metrics."""

    async def health(_: Request) -> Response:
        return json(monitor.status())

    async def exposition(_: Request) -> Response:
        monitor.status()  # brings the gauges up to date
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/health", health), Route("/metrics", exposition)]


def transitions(seen: Transitions) -> Route:
    """The breaker's last transitions, oldest first, as JSON lines."""

    async def lines(_: Request) -> Response:
        return Response(b"".join(msgspec.json.encode(t) + b"\n" for t in seen.seen), media_type="application/x-ndjson")

    return Route("/breaker/transitions", lines)
