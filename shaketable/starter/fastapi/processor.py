"""A processor of your own events to start from: `intake` accepts them over HTTP and queues them, `work` stores them."""

import json
import os
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import redis
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from jsonschema import validators
from redis.backoff import NoBackoff
from redis.retry import Retry

SCHEMA = json.loads((Path(__file__).parent / "event.schema.json").read_text(encoding="utf-8"), parse_float=Decimal)
CHECKED = validators.validator_for(SCHEMA)(SCHEMA)
ID = ("id",)  # where the id is in an event
app = FastAPI(openapi_url=None)
ONCE = Retry(NoBackoff(), 0)  # the client library's own retries could outlast the caller's timeout


def accepted(body: bytes) -> str:
    """The id of a valid event. Raises ValueError, which names the member."""
    event = json.loads(body.decode(), parse_float=Decimal, object_pairs_hook=unique, parse_constant=no_number)
    if error := next(CHECKED.iter_errors(event), None):
        raise ValueError(f"/{'/'.join(map(str, error.absolute_path))} violates {error.validator}")
    json.dumps(event, ensure_ascii=False, default=str).encode()  # raises for a lone surrogate
    for name in ID:
        event = event[name]
    return str(event)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object without duplicate names."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)


def no_number(text: str) -> None:
    """Refuse NaN and Infinity."""
    raise ValueError(f"{text} is no JSON number")


@app.post("/events")
async def take(request: Request) -> JSONResponse:
    """202 once Valkey has the event; 400 names the mistake in it; 504 means that the outcome is unknown."""
    body = await request.body()
    try:
        event_id = accepted(body)
        await app.state.queue.xadd("events", {"id": event_id, "event": body})
    except (ValueError, ArithmeticError, RecursionError, LookupError) as e:
        return JSONResponse({"error": str(e)}, 400)
    except redis.RedisError as e:
        return JSONResponse({"error": type(e).__name__}, 504)
    return JSONResponse({"id": event_id}, 202)


@app.get("/health")
async def health() -> JSONResponse:
    """Any response means that the process is up."""
    return JSONResponse({})


def intake() -> None:
    """Serve until SIGTERM; uvicorn finishes open requests first."""
    app.state.queue = redis.asyncio.from_url(os.environ["REDIS_URL"], retry=ONCE, socket_timeout=2)
    uvicorn.run(app, port=int(os.environ["HTTP_PORT"]), timeout_keep_alive=75, access_log=False)


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
            "create table events (event_id text primary key, event json not null,"
            " position bigint generated always as identity)"
        )


if __name__ == "__main__":
    {"intake": intake, "work": work, "setup": setup}[sys.argv[1]]()
