"""The intake over HTTP: an event is acknowledged with 202 only once the queue has it."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_impl.errors import NotAcknowledged, RefusedError, TemporarilyUnavailable
from reference_impl.ingest import server
from reference_impl.ingest.intake import Intake
from reference_impl.operations import metrics
from reference_impl.operations.health import HealthMonitor
from reference_impl.queue import streams
from reference_impl.resilience import background
from reference_impl.settings import Settings

#: Headers by status: 503 asks for another attempt in a second; after 408 the rest of the body is not read.
HEADERS = {503: [(b"retry-after", b"1")], 408: [(b"connection", b"close")]}
#: How long a thread that validates a large event may block the event loop, in seconds.
SWITCH_S = 0.001

_encode = msgspec.json.Encoder().encode


class Response(msgspec.Struct, frozen=True):
    """The response to one request; Starlette's takes as long as everything else together."""

    status: int
    body: bytes
    content_type: bytes = server.JSON_TYPES[0]

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [(b"content-type", self.content_type), (b"content-length", b"%d" % len(self.body))]
        headers += HEADERS.get(self.status, [])
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def app(intake: Intake, monitor: HealthMonitor, settings: Settings) -> ASGIApp:
    """The routes of the contract. Events bypass the router, which is slower than they are."""
    endpoint = EventsEndpoint(intake, settings)
    posts = {"/events": endpoint.one, "/events/batch": endpoint.many}
    not_allowed = partial(PlainTextResponse, "", 405, {"Allow": "POST"})
    others = Router([Route(path, lambda _: not_allowed()) for path in posts] + server.observability_routes(monitor))

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and (respond := posts.get(scope["path"])):
            await (await respond(receive)).send(send)
        else:
            await others(scope, receive, send)

    return server.with_error_handling(route, settings)


class EventsEndpoint:
    """Reads requests and responds; limits how many bytes all requests under way hold in memory."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self._intake, self._settings = intake, settings
        self._held = 0  # bytes of bodies

    async def one(self, receive: Receive) -> Response:
        """202, or the status of the error."""
        return await self._handle(receive, self._settings.max_event_bytes, self._add)

    async def many(self, receive: Receive) -> Response:
        """207: one line an event, in order, each with the status that it would have alone."""
        return await self._handle(receive, self._settings.max_batch_bytes, self._add_lines)

    async def _handle(self, receive: Receive, limit: int, add: Callable[[bytes], Awaitable[Response]]) -> Response:
        body = bytearray()
        try:
            await self._read(receive, body, limit)
            return await add(bytes(body))
        except NotAcknowledged as e:
            return response(e)
        finally:
            self._held -= len(body)

    async def _add(self, body: bytes) -> Response:
        return response(await self._intake.add(body))

    async def _add_lines(self, body: bytes) -> Response:
        most, lines = self._settings.max_batch_events, []
        if body.count(b"\n") + (not body.endswith(b"\n")) > most:
            raise RefusedError("event", f"expected at most {most} lines", 413)
        for result in await self._intake.add_many([line for line in body.split(b"\n") if line.strip()]):
            await self._intake.yield_loop()
            one = response(result)
            lines.append(b'{"status":%d,"answer":%b}\n' % (one.status, one.body))
        return Response(207, b"".join(lines), server.JSON_TYPES[1])

    async def _read(self, receive: Receive, body: bytearray, limit: int) -> None:
        """Read the body, up to its limit and the limit of all requests together. Raises NotAcknowledged."""
        more, timeout_s = True, self._settings.request_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RefusedError("event", "the client disconnected", 400)
                    some, more = message.get("body", b""), message.get("more_body", False)
                    body += some
                    self._held += len(some)
                    if len(body) > limit:
                        raise RefusedError("event", f"expected at most {limit} bytes", 413)
                    if self._held > self._settings.max_in_flight_bytes:
                        raise TemporarilyUnavailable("too many bytes of events are under way")
        except TimeoutError:
            raise RefusedError("event", f"expected all of it within {timeout_s:g} s", 408) from None


def response(result: str | BaseException) -> Response:
    """202 for an id; for an error its status. Raises unexpected errors."""
    if isinstance(result, str):
        return Response(202, b'{"eventId":"%b"}' % result.encode())
    if not isinstance(result, NotAcknowledged):
        raise result
    metrics.REFUSED.labels(str(result.status)).inc()
    field = {"field": result.field} if isinstance(result, RefusedError) else {}
    return Response(result.status, _encode({**field, "error": str(result)}))


async def run(settings: Settings) -> None:
    """The process `ingest`. Raises the error that ended one of its tasks."""
    sys.setswitchinterval(SWITCH_S)
    stopping, served = asyncio.Event(), asyncio.Event()  # requests under way need the queue until `served`
    sleep = background.sleeper(served)
    listening = server.bind(settings.http_host, settings.http_port)
    redis = streams.connect(settings.redis_url, settings.enqueue_timeout_s)
    monitor = HealthMonitor(settings, redis, sleep)
    intake = Intake(settings, monitor, sleep)
    server.install_signal_handlers(stopping)
    running = asyncio.create_task(background.run_until_shutdown(stopping, monitor.run, intake.run))
    await intake.ready(settings.connect_timeout_s)  # before its first /health
    gc.collect()
    gc.freeze()  # a collection of the objects that stay to the end would hold the loop for 10 ms
    await server.serve(app(intake, monitor, settings), listening, stopping, settings.request_timeout_s)
    served.set()
    await asyncio.wait([running])
    await redis.aclose()
    await running  # raises the error of a task that failed
