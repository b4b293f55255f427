"""The intake: POST /events validates, lets the library enqueue, and answers 202 once that has returned.

`enqueue` is the library's own call: a plain function runs in Starlette's pool of threads, a coroutine function on the
loop. /health says that the process is there, and no more: it asks Redis nothing, since a probe that hangs with Redis
would hold a thread that an event needs. The backlog is counted by the harness, from the manifest's [queue].
"""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

import anyio
import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alternatives.common.event import Refused, accept

#: Bytes of one event.
MAX_BYTES = 1_000_000
#: Seconds that an idle connection is kept: fewer than a client may pause would break its next request.
KEEP_ALIVE_S = 120

Enqueue = Callable[[dict[str, Any]], Any] | Callable[[dict[str, Any]], Awaitable[Any]]

log = logging.getLogger(__name__)


class DeadLetters(Protocol):
    """What the library gave up, oldest first."""

    def count(self) -> int: ...

    def page(self, offset: int, limit: int) -> Iterable[dict[str, Any]]: ...


def application(enqueue: Enqueue, lifespan: Any = None, dead_letters: DeadLetters | None = None) -> Starlette:
    """The intake as an ASGI application; `lifespan` is Starlette's, for a library that must be opened on the loop."""
    call = enqueue if inspect.iscoroutinefunction(enqueue) else _threaded(enqueue)

    async def events(request: Request) -> Response:
        try:
            event = accept(await _body(request), datetime.now(UTC))
        except Refused as e:
            return JSONResponse({"field": e.field, "error": e.why}, e.status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        try:
            await call(event)
        except Exception as e:  # the libraries try again by themselves, so no refused connection is certain
            log.warning("not known whether an event was enqueued: %s", type(e).__name__)
            return JSONResponse({"error": "the queue did not say whether it has the event"}, 504)
        return JSONResponse({"eventId": event["eventId"]}, 202)

    async def health(_: Request) -> Response:
        return JSONResponse({"healthScore": 100})

    routes = [Route("/events", events, methods=["POST"]), Route("/health", health)]
    if dead_letters is not None:
        routes.append(Route("/dead-letters", _telling(dead_letters)))
    return Starlette(routes=routes, lifespan=lifespan)


def _threaded(enqueue: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Awaitable[Any]]:
    async def call(event: dict[str, Any]) -> Any:
        return await run_in_threadpool(enqueue, event)

    return call


def _telling(dead_letters: DeadLetters) -> Callable[[Request], Awaitable[Response]]:
    """GET /dead-letters?offset=0&limit=1000, one a line. One thread serves it: none of those that events need."""
    own = anyio.CapacityLimiter(1)

    def look(offset: int, limit: int) -> tuple[int, bytes]:
        letters = dead_letters.page(offset, limit) if limit else ()
        return dead_letters.count(), b"".join(msgspec.json.encode(letter) + b"\n" for letter in letters)

    async def tell(request: Request) -> Response:
        asked = request.query_params
        try:
            total, page = await anyio.to_thread.run_sync(
                look, int(asked.get("offset", 0)), int(asked.get("limit", 1000)), limiter=own
            )
        except Exception as e:
            return JSONResponse({"error": type(e).__name__}, 503)
        return Response(page, headers={"Total-Count": str(total)}, media_type="application/x-ndjson")

    return tell


async def _body(request: Request) -> bytes:
    """The whole body. Raises Refused as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Refused("event", f"expected at most {MAX_BYTES} bytes", 413)
    return bytes(body)


def serve(enqueue: Enqueue, lifespan: Any = None, dead_letters: DeadLetters | None = None) -> None:
    """Serve on HTTP_PORT until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    uvicorn.run(
        application(enqueue, lifespan, dead_letters),
        host="127.0.0.1",
        port=int(os.environ["HTTP_PORT"]),
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
        http="h11",  # the other parser loses the body of a request that offers to change to HTTP/2: curl --http2, Java
    )
