"""The dead-letter office, over HTTP: what an operator may list, show, replay, drop.

    GET    /dead-letters?after=0&limit=100   JSON lines, in the order of their deaths; `after` is the last one's `id`
    GET    /dead-letters/{eventId}           one, in full
    POST   /dead-letters/{eventId}/replay    200 stored, 409 refused, 404 there is none
    DELETE /dead-letters/{eventId}           200 dropped, 404 there is none

503 while this worker's breaker is not closed: then it sends the store nothing. `server` refuses what a page in a
browser could send unasked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
import psycopg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.errors import BreakerOpenError
from reference_impl.ingest.server import json
from reference_impl.operations.admin_connections import AdminConnections
from reference_impl.resilience import error_classes
from reference_impl.settings import Settings
from reference_impl.store.writer import Store

#: Most letters of one page: they are told in full.
MOST = 100

STATUS = {Outcome.STORED: 200, Outcome.REFUSED: 409, Outcome.ABSENT: 404, Outcome.HANDLED: 409}

Answer = Callable[[Store, Request], Awaitable[Response]]


def routes(admin: AdminConnections, settings: Settings) -> list[Route]:
    """The routes of a worker."""

    def route(path: str, method: str, answer: Answer) -> Route:
        async def handle(request: Request) -> Response:
            try:
                async with admin.store() as store:
                    return await answer(store, request)
            except ValueError:
                return json({"error": "expected a UUID in the path, and numbers for after and limit"}, 422)
            except BreakerOpenError as e:
                return json({"error": str(e)}, 503, {"Retry-After": "1"})
            except psycopg.Error as e:
                return json({"error": str(error_classes.to_store_error(e, settings))}, 503, {"Retry-After": "1"})

        return Route(path, handle, methods=[method])

    return [
        route("/dead-letters", "GET", _list),
        route("/dead-letters/{event_id}", "GET", _show),
        route("/dead-letters/{event_id}/replay", "POST", _replay),
        route("/dead-letters/{event_id}", "DELETE", _drop),
    ]


async def _list(store: Store, request: Request) -> Response:
    after, limit = (int(request.query_params.get(name, default)) for name, default in (("after", 0), ("limit", 100)))
    letters = await repository.page(store.connection, after, max(1, min(MOST, limit)))
    return Response(b"".join(msgspec.json.encode(one) + b"\n" for one in letters), media_type="application/x-ndjson")


async def _show(store: Store, request: Request) -> Response:
    letter = await repository.find(store.connection, _id(request))
    return json(letter or {"error": "no such dead letter"}, 200 if letter else 404)


async def _replay(store: Store, request: Request) -> Response:
    outcome = await replay(store, _id(request))
    return json({"eventId": _id(request), "outcome": outcome}, STATUS[outcome])


async def _drop(store: Store, request: Request) -> Response:
    dropped = await repository.drop(store.connection, _id(request))
    return json({"eventId": _id(request), "dropped": dropped}, 200 if dropped else 404)


def _id(request: Request) -> UUID:
    return UUID(request.path_params["event_id"])
