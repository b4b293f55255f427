"""HTTP of the processes: who may call, errors, health and metrics; and the intake's events.

An event is acknowledged with 202 only once the queue has it.
"""

import asyncio
import gc
import hmac
import ipaddress
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_impl import log
from reference_impl.errors import NotAcknowledged, RefusedError, TemporarilyUnavailable
from reference_impl.ingest import server
from reference_impl.ingest.intake import Intake
from reference_impl.operations import metrics
from reference_impl.operations.health import HealthMonitor
from reference_impl.resilience import background
from reference_impl.resilience.circuit_breaker import Transitions
from reference_impl.settings import Settings

#: These paths need no token and check no origin: monitoring has no token, and they carry no event.
PUBLIC_PATHS = frozenset({"/health", "/metrics", "/breaker/transitions"})
#: The types of a body. A page in a browser can send text, forms and multipart to any server without a preflight.
JSON_TYPES = (b"application/json", b"application/x-ndjson")
#: Headers by status: 503 asks for another attempt in a second; after 408 the rest of the body is not read.
HEADERS = {503: {"Retry-After": "1"}, 408: {"Connection": "close"}}
#: How long a thread that validates a large event may block the event loop, in seconds.
SWITCH_S = 0.001


def app(intake: Intake, settings: Settings) -> ASGIApp:
    """The routes of the contract. Events bypass the router, which is slower than they are."""
    endpoint = EventsEndpoint(intake, settings)
    not_allowed = PlainTextResponse("", 405, {"Allow": "POST"})
    others = Router([Route(path, not_allowed) for path in endpoint.paths] + observability_routes(intake.monitor))

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and scope["path"] in endpoint.paths:
            await (await endpoint.respond(Request(scope, receive)))(scope, receive, send)
        else:
            await others(scope, receive, send)

    return with_error_handling(route, settings)


class EventsEndpoint:
    """Reads requests and responds; limits how many bytes all requests under way hold in memory."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self._intake, self._settings = intake, settings
        self._held = 0  # bytes of bodies
        add_one, add_lines = (settings.max_event_bytes, self._add), (settings.max_batch_bytes, self._add_lines)
        self.paths = {"/events": add_one, "/events/batch": add_lines}

    async def respond(self, request: Request) -> Response:
        """202 for an event, 207 for a batch, or the status of the error."""
        limit, add = self.paths[request.scope["path"]]
        body = bytearray()
        try:
            await self._read(request, body, limit)
            return await add(bytes(body))
        except NotAcknowledged as e:
            return response(e)
        finally:
            self._held -= len(body)

    async def _add(self, body: bytes) -> Response:
        return response(await self._intake.add(body))

    async def _add_lines(self, body: bytes) -> Response:
        """One line an event, in order, each with the status that it would have alone."""
        most, lines = self._settings.max_batch_events, []
        if body.count(b"\n") + (not body.endswith(b"\n")) > most:
            raise RefusedError("event", f"expected at most {most} lines", 413)
        async for results in self._intake.add_many([line for line in body.split(b"\n") if line.strip()]):
            for one in map(response, results):
                lines.append(b'{"status":%d,"answer":%b}\n' % (one.status_code, bytes(one.body)))
        return Response(b"".join(lines), 207, media_type=JSON_TYPES[1].decode())

    async def _read(self, request: Request, body: bytearray, limit: int) -> None:
        """Read the body, up to its limit and the limit of all requests together. Raises NotAcknowledged."""
        timeout_s = self._settings.request_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                async for some in request.stream():
                    body += some
                    self._held += len(some)
                    if len(body) > limit:
                        raise RefusedError("event", f"expected at most {limit} bytes", 413)
                    if self._held > self._settings.max_in_flight_bytes:
                        raise TemporarilyUnavailable("too many bytes of events are under way")
        except ClientDisconnect:
            raise RefusedError("event", "the client disconnected", 400) from None
        except TimeoutError:
            raise RefusedError("event", f"expected all of it within {timeout_s:g} s", 408) from None


def response(result: str | BaseException) -> Response:
    """202 for an id; for an error its status. Raises unexpected errors."""
    if isinstance(result, str):
        return Response(b'{"eventId":"%b"}' % result.encode(), 202, media_type="application/json")
    if not isinstance(result, NotAcknowledged):
        raise result
    metrics.REFUSED.labels(str(result.status)).inc()
    field = {"field": result.field} if isinstance(result, RefusedError) else {}
    return json({**field, "error": str(result)}, result.status, HEADERS.get(result.status))


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
            status, why = 403, "origin: expected none, or one of HTTP_ALLOWED_ORIGINS"
        elif settings.bearer_token and not hmac.compare_digest(headers.get(b"authorization", b""), token):
            status, why = 401, "authorization: expected the bearer token"
        elif not settings.bearer_token and not is_own(headers.get(b"host", b"")):
            status, why = 403, "host: expected localhost, an address, or one of HTTP_ALLOWED_HOSTS"
        elif content_type.partition(b";")[0].strip().lower() not in JSON_TYPES:
            status, why = 415, "content-type: expected application/json or application/x-ndjson"
        elif headers.get(b"content-encoding", b"identity").lower() != b"identity":
            status, why = 415, "content-encoding: expected none"
        else:
            return None
        metrics.REFUSED.labels(str(status)).inc()
        more = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        if b"expect" in headers:  # the body was not read: the client may or may not send it
            more["Connection"] = "close"
        return json({"error": why}, status, more)

    return refusal


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
        body = b"".join(msgspec.json.encode(one) + b"\n" for one in (transitions.seen if transitions else []))
        return Response(body, media_type=JSON_TYPES[1].decode())

    routes = [Route("/health", health), Route("/metrics", exposition)]
    return [*routes, Route("/breaker/transitions", lines)] if transitions else routes


async def run(settings: Settings) -> None:
    """The process `ingest`. Raises the error that ended one of its tasks."""
    sys.setswitchinterval(SWITCH_S)
    stopping, served = asyncio.Event(), asyncio.Event()  # requests under way need the queue until `served`
    sleep = background.sleeper(served)
    listening = server.bind(settings.http_host, settings.http_port)
    intake = Intake(settings, sleep)
    running = asyncio.create_task(background.run_until_shutdown(stopping, intake.monitor.run, *intake.tasks))
    await intake.ready(settings.connect_timeout_s)  # before its first /health
    gc.collect()
    gc.freeze()  # a collection of the objects that stay to the end would hold the loop for 10 ms
    await server.serve(app(intake, settings), listening, stopping, settings.request_timeout_s)
    served.set()
    async with intake.pipeline.redis:
        await running  # raises the error of a task that failed
