"""The HTTP server of a process: uvicorn, on loopback unless HTTP_HOST names another address."""

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
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_impl import log
from reference_impl.errors import SettingsError
from reference_impl.ingest.header_timeout import ConnectionLimit, HeaderTimeoutProtocol
from reference_impl.operations import metrics
from reference_impl.operations.health import HealthMonitor
from reference_impl.resilience.transition_log import Transitions
from reference_impl.settings import Settings

#: How long a connection may be idle, in seconds: longer than the pauses of clients, whose next request would fail.
KEEP_ALIVE_S = 75
#: These paths need no token and check no origin: monitoring has no token, and they carry no event.
PUBLIC_PATHS = frozenset({"/health", "/metrics", "/breaker/transitions"})
#: Time for requests under way at shutdown, in seconds.
GRACE_S = 3
#: Connections that may wait in the kernel.
BACKLOG = 2048
#: Connections accepted in one turn of the event loop; they are counted only in a later one.
ACCEPTED_AT_ONCE = 16
#: The types of a body. A page in a browser can send text, forms and multipart to any server without a preflight.
JSON_TYPES = (b"application/json", b"application/x-ndjson")


class _Server(uvicorn.Server):
    """Leaves signals to the process, and restores the backlog of the kernel."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(BACKLOG)  # asyncio has set it to the number of connections that it accepts at once

    async def stop_after(self, stopping: asyncio.Event) -> None:
        """Shut down once the event is set."""
        await stopping.wait()
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """Bind the port before anything else starts. Raises SettingsError when the port is taken or the host is wrong."""
    wrong_host = SettingsError(f"HTTP_HOST: expected a name or an IPv4 address of this machine, got {host!r}")
    try:
        socket.getaddrinfo(host, port, socket.AF_INET)
        listening = socket.create_server((host, port), backlog=BACKLOG)
    except (socket.gaierror, UnicodeError):
        raise wrong_host from None
    except OSError as e:
        if e.errno == errno.EADDRNOTAVAIL:
            raise wrong_host from None
        why = os.strerror(e.errno or 0)
        raise SettingsError(f"HTTP_PORT: expected a free port on {host}, got {port} ({why})") from None
    # Accepted sockets inherit it. asyncio sets it only on sockets that were created with IPPROTO_TCP, and without it a
    # response in two writes waits 40 ms for the client's delayed acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def install_signal_handlers(stopping: asyncio.Event) -> None:
    """SIGTERM and SIGINT set the event."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)


async def serve(app: ASGIApp, listening: socket.socket, stopping: asyncio.Event, head_s: float) -> None:
    """Serve until `stopping` is set, also by SIGTERM or SIGINT. The head of a request must arrive within `head_s`."""
    install_signal_handlers(stopping)
    # closes the connection of a client that does not read its response
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(head_s * 1000))
    config = uvicorn.Config(
        app,
        timeout_keep_alive=KEEP_ALIVE_S,
        log_config=None,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        backlog=ACCEPTED_AT_ONCE,
        http=partial(HeaderTimeoutProtocol, head_s, ConnectionLimit()),  # type: ignore[arg-type]
        access_log=False,
    )
    server = _Server(config)
    stopper = asyncio.create_task(server.stop_after(stopping))
    await server.serve([listening])
    stopping.set()
    await stopper


def with_error_handling(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Refuse forbidden requests; log an unexpected error, and answer 500."""
    refusal = _access_rules(settings)

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await (refusal(scope) or app)(scope, receive, send)
        except Exception as e:
            log.unexpected("a request met a defect", e)
            metrics.REFUSED.labels("500").inc()
            # where a response has begun, uvicorn refuses this one and closes the connection
            await json({"error": "a defect, which is logged: the outcome is unknown"}, 500)(scope, receive, send)

    return guard


def _access_rules(settings: Settings) -> Callable[[Scope], Response | None]:
    """Refuses a request without the token, and requests that a page in a browser could send without a preflight.

    Such a page has a foreign Origin, sends a body of another type, or calls this server by a name of its own (DNS
    rebinding). An IP address as Host belongs to no page.
    """
    token = f"Bearer {settings.bearer_token}".encode()
    origins = {None, *(origin.encode() for origin in settings.http_allowed_origins)}

    @lru_cache(64)
    def is_own(host: bytes) -> bool:
        with suppress(ValueError):
            name = urlsplit(f"//{host.decode('latin-1')}").hostname or "localhost"
            return name in ("localhost", *settings.http_allowed_hosts) or bool(ipaddress.ip_address(name))
        return False

    def refusal(scope: Scope) -> Response | None:
        headers = dict(scope["headers"])
        content_type = headers.get(b"content-type") or JSON_TYPES[0]
        if scope["path"] in PUBLIC_PATHS:
            return None
        if headers.get(b"origin") not in origins:
            return _refused(headers, 403, "origin: expected none, or one of HTTP_ALLOWED_ORIGINS")
        if settings.bearer_token and not hmac.compare_digest(headers.get(b"authorization", b""), token):
            return _refused(headers, 401, "authorization: expected the bearer token", {"WWW-Authenticate": "Bearer"})
        if not settings.bearer_token and not is_own(headers.get(b"host", b"")):
            return _refused(headers, 403, "host: expected localhost, an address, or one of HTTP_ALLOWED_HOSTS")
        if content_type.partition(b";")[0].strip().lower() not in JSON_TYPES:
            return _refused(headers, 415, "content-type: expected application/json or application/x-ndjson")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            return _refused(headers, 415, "content-encoding: expected none")
        return None

    return refusal


def _refused(request: dict[bytes, bytes], status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    """The body was not read: close the connection where the client may or may not send it (Expect: 100-continue)."""
    metrics.REFUSED.labels(f"{status}").inc()
    close = {"Connection": "close"} if b"expect" in request else {}
    return json({"error": why}, status, close | (headers or {}))


def json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def observability_routes(monitor: HealthMonitor, transitions: Transitions | None = None) -> list[Route]:
    """The routes /health and /metrics, and the last transitions of a breaker, oldest first, as JSON lines."""

    async def health(_: Request) -> Response:
        return json(monitor.status())

    async def exposition(_: Request) -> Response:
        monitor.status()  # updates the gauges
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def lines(_: Request) -> Response:
        seen = transitions.seen if transitions else []
        return Response(b"".join(msgspec.json.encode(one) + b"\n" for one in seen), media_type=JSON_TYPES[1].decode())

    routes = [Route("/health", health), Route("/metrics", exposition)]
    return [*routes, Route("/breaker/transitions", lines)] if transitions else routes
