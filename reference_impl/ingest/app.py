"""The intake over HTTP: an event is acknowledged with 202 only once the queue has it."""

from __future__ import annotations

import asyncio
import gc
import sys

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_impl.errors import NotAcknowledged, RefusedError, TemporarilyUnavailable
from reference_impl.ingest import server
from reference_impl.ingest.intake import Intake
from reference_impl.operations import metrics
from reference_impl.operations.monitor import HealthMonitor
from reference_impl.queue import streams
from reference_impl.resilience import background
from reference_impl.settings import Settings

#: Told with every 503, in seconds.
RETRY_AFTER = (b"retry-after", b"1")
#: Told with 408: the rest of that body is not waited for.
CLOSE = (b"connection", b"close")
#: For how long a thread that validates a large event may keep the event loop waiting.
SWITCH_S = 0.001
JSON, JSON_LINES = b"application/json", b"application/x-ndjson"

_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    """What one request is answered."""

    status: int
    body: bytes
    kind: bytes = JSON

    async def send(self, send: Send) -> None:
        """Send it, past Starlette's Response: that would cost as much as all the rest."""
        headers = [(b"content-type", self.kind), (b"content-length", b"%d" % len(self.body))]
        if self.status == 503:
            headers.append(RETRY_AFTER)
        if self.status == 408:
            headers.append(CLOSE)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def app(intake: Intake, monitor: HealthMonitor, settings: Settings) -> ASGIApp:
    """The routes of the contract; the two that take events go past the router, which is slower than they are."""

    async def not_post(_: Request) -> Response:
        return Response(status_code=405, headers={"Allow": "POST"})

    others = Router([Route(path, not_post) for path in ("/events", "/events/batch")] + server.telling(monitor))
    desk = Desk(intake, settings)

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        if is_post and scope["path"] == "/events":
            await (await desk.one(receive)).send(send)
        elif is_post and scope["path"] == "/events/batch":
            await (await desk.many(receive)).send(send)
        else:
            await others(scope, receive, send)

    return server.guarded(route, settings)


class Desk:
    """Reads requests and answers them; bounds what all that are under way hold in memory."""

    def __init__(self, intake: Intake, settings: Settings) -> None:
        self._intake, self._settings = intake, settings
        self._held = 0  # bytes of bodies

    async def one(self, receive: Receive) -> Answer:
        """202, or why not."""
        body = bytearray()
        try:
            await self._read_in_time(receive, body, self._settings.max_event_bytes)
            return answer(await self._intake.add(bytes(body)))
        except NotAcknowledged as e:
            return answer(e)
        finally:
            self._held -= len(body)

    async def many(self, receive: Receive) -> Answer:
        """207: one line an event, in order, each with the status it would have had alone."""
        body, most = bytearray(), self._settings.max_batch_events
        try:
            await self._read_in_time(receive, body, self._settings.max_batch_bytes)
            if body.count(b"\n") + (not body.endswith(b"\n")) > most:
                raise RefusedError("event", f"expected at most {most} lines", 413)
            results = await self._intake.add_many([line for line in bytes(body).split(b"\n") if line.strip()])
        except NotAcknowledged as e:
            return answer(e)
        finally:
            self._held -= len(body)
        alone = []
        for result in results:
            await self._intake.let_go()
            one = answer(result)
            alone.append(b'{"status":%d,"answer":%b}\n' % (one.status, one.body))
        return Answer(207, b"".join(alone), JSON_LINES)

    async def _read_in_time(self, receive: Receive, body: bytearray, limit: int) -> None:
        """The body, once it is whole. Raises RefusedError also when it takes too long to come."""
        try:
            async with asyncio.timeout(self._settings.request_timeout_s):
                await self._read(receive, body, limit)
        except TimeoutError:
            longest = self._settings.request_timeout_s
            raise RefusedError("event", f"expected all of it within {longest:g} s", 408) from None

    async def _read(self, receive: Receive, body: bytearray, limit: int) -> None:
        """Read the body, up to its limit and the limit of all requests together."""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RefusedError("event", "the client went away", 400)
            some = message.get("body", b"")
            body += some
            self._held += len(some)
            more = message.get("more_body", False)
            if len(body) > limit:
                raise RefusedError("event", f"expected at most {limit} bytes", 413)
            if self._held > self._settings.max_in_flight_bytes:
                raise TemporarilyUnavailable("too many bytes of events are under way")


def answer(result: str | NotAcknowledged) -> Answer:
    """202 for an id; for an error its status."""
    if isinstance(result, str):
        return Answer(202, b'{"eventId":"%b"}' % result.encode())
    metrics.REFUSED.labels(str(result.status)).inc()
    field = {"field": result.field} if isinstance(result, RefusedError) else {}
    return Answer(result.status, _encode({**field, "error": str(result)}))


async def run(settings: Settings) -> None:
    """The process `ingest`. Raises what a part of it ended by."""
    sys.setswitchinterval(SWITCH_S)
    stopping, served = asyncio.Event(), asyncio.Event()  # requests under way still need the queue until `served`
    sleep = background.sleeper(served)
    listening = server.bind(settings.http_host, settings.http_port)
    redis = streams.connect(settings.redis_url, settings.enqueue_timeout_s)
    monitor = HealthMonitor(settings, redis, sleep)
    intake = Intake(settings, monitor, sleep)
    server.heed_signals(stopping)
    running = asyncio.create_task(background.run_until_shutdown(stopping, monitor.run, intake.run))
    await intake.ready(settings.connect_timeout_s)  # whoever sees it healthy finds it ready
    gc.collect()
    gc.freeze()  # what stays to the end: to look through it again holds the loop for 10 ms
    await server.serve(app(intake, monitor, settings), listening, stopping, settings.request_timeout_s)
    served.set()
    await asyncio.wait([running])
    await redis.aclose()
    await running  # raises the error of a task that failed
