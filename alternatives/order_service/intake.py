"""The intake: POST /orders validates, queues, and answers 201 once the order is in Redis."""

from __future__ import annotations

import os
from typing import Any

import redis.asyncio as redis
import uvicorn
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alternatives.order_service import spans
from alternatives.order_service.order import Refused, accepted

#: The stream of accepted orders.
STREAM = "orders"


def order_id(order: dict[str, Any]) -> str:
    """The idempotency key."""
    return str(order["order"]["id"])


async def orders(request: Request) -> Response:
    """Accept one order."""
    try:
        body = await request.body()
        order = accepted(body)
    except Refused as e:
        return JSONResponse({"error": str(e)}, 422)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody reads it
    try:
        traceparent, state = spans.of(request.headers), request.app.state
        with state.spans.stage("queue", traceparent):
            await state.redis.xadd(STREAM, {"id": order_id(order), "order": body, "traceparent": traceparent})
    except RedisError:
        return JSONResponse({"error": "not known whether it was queued"}, 504)
    return JSONResponse({"id": order_id(order)}, 201)


async def health(_: Request) -> Response:
    """The process is there."""
    return JSONResponse({})


def serve() -> None:
    """Serve until stopped."""
    app = Starlette(routes=[Route("/orders", orders, methods=["POST"]), Route("/health", health)])
    app.state.spans = spans.Spans()
    app.state.redis = redis.from_url(os.environ["REDIS_URL"], retry=Retry(NoBackoff(), 0), socket_timeout=3)
    uvicorn.run(app, port=int(os.environ["HTTP_PORT"]), timeout_keep_alive=75, access_log=False, http="h11")
