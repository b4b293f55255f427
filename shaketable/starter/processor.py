"""A processor to start from: `intake` accepts events over HTTP and queues them, `work` stores them."""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
import psycopg
import redis
import uvicorn
from redis.backoff import NoBackoff
from redis.retry import Retry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

#: A pattern rather than a type: Python's and msgspec's UUID types also accept an id without hyphens.
UUID = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\\Z"
ONCE = Retry(NoBackoff(), 0)  # the client library's own retries could outlast the caller's timeout


class Event(msgspec.Struct, rename="camel"):
    """An event of the contract; members that are not named here are stored unchanged."""

    event_id: Annotated[str, msgspec.Meta(pattern=UUID)]
    timestamp: Annotated[datetime, msgspec.Meta(tz=True)]
    action: str
    status: Literal["attempt", "success", "failure"]
    principal_id: str | None = None
    organization_id: str | None = None
    correlation_id: str | None = None
    target_resource_type: str | None = None
    target_resource_id: str | None = None
    outcome_description: str | None = None
    retention_policy: str | None = None
    event_version: str | None = None
    data_classification: Literal["PUBLIC", "INTERNAL", "CONFIDENTIAL", "PHI"] | None = None
    ttl: int | None = None


async def take(request: Request) -> JSONResponse:
    """202 once Valkey has the event; 400 names the mistake in it; 504 means that the outcome is unknown."""
    body = await request.body()
    try:
        event = msgspec.json.decode(body, type=Event)
        if not datetime(2000, 1, 1, tzinfo=UTC) <= event.timestamp <= datetime.now(UTC) + timedelta(days=1):
            raise ValueError("expected an instant from 2000-01-01 to 24 hours from now - at `$.timestamp`")
        if len(body) > 1_000_000:
            raise ValueError(f"expected at most 1,000,000 bytes, got {len(body):,}")
        await request.app.state.queue.xadd("events", {"id": event.event_id.lower(), "event": body.decode()})
    except ValueError as e:
        return JSONResponse({"error": str(e)}, 400)
    except redis.RedisError as e:
        return JSONResponse({"error": type(e).__name__}, 504)
    return JSONResponse({"eventId": event.event_id.lower()}, 202)


async def health(_: Request) -> JSONResponse:
    """Any response means that the process is up. Return a healthScore here to claim `health = true` in the manifest."""
    return JSONResponse({})


def intake() -> None:
    """Serve until SIGTERM; uvicorn finishes open requests first. h11 also understands Java and curl --http2."""
    app = Starlette(routes=[Route("/events", take, methods=["POST"]), Route("/health", health)])
    app.state.queue = redis.asyncio.from_url(os.environ["REDIS_URL"], retry=ONCE, socket_timeout=2)
    uvicorn.run(app, port=int(os.environ["HTTP_PORT"]), timeout_keep_alive=75, access_log=False, http="h11")


def store(queue: Any, database: psycopg.Connection) -> None:
    """Store, then delete from the queue: a crash in between stores again, and the primary key prevents duplicates."""
    batch = queue.xrange("events", count=200)  # from the head, which preserves order with any number of workers
    with database.transaction(), database.cursor() as cursor:
        cursor.executemany(
            "insert into events (event_id, event) values (%s, %s) on conflict do nothing",
            [(entry[b"id"].decode(), entry[b"event"].decode()) for _, entry in batch],
        )
    if batch:
        queue.xdel("events", *[number for number, _ in batch])
    else:
        time.sleep(0.05)


def work() -> None:
    """Store until killed and retry after errors. SIGTERM is safe at any time: no event is held in memory alone."""
    queue = redis.from_url(os.environ["REDIS_URL"], retry=ONCE, socket_timeout=2)
    while True:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3) as database:
                while True:
                    store(queue, database)
        except (psycopg.Error, redis.RedisError) as e:
            print(type(e).__name__, flush=True)  # an event's content stays out of the log
            time.sleep(0.5)


def setup() -> None:
    """Create the table, once. `json` stores the text unchanged; `jsonb` would not (-0.0, 1e400, NUL)."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        database.execute(
            "create table events (event_id uuid primary key, event json not null,"
            " position bigint generated always as identity)"
        )


{"intake": intake, "work": work, "setup": setup}[sys.argv[1]]()
