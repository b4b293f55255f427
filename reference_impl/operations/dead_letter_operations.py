"""Dead letters for operators: list, show, replay and drop, by command line and over HTTP.

    GET    /dead-letters?after=0&limit=100   JSON lines in insertion order; `after` is the `id` of the last one you have
    GET    /dead-letters/{eventId}           one, in full
    POST   /dead-letters/{eventId}/replay    200 stored, 409 refused, 404 absent
    DELETE /dead-letters/{eventId}           200 dropped, 404 absent

503 while this worker's breaker is not closed: the worker then sends nothing to the store. `server` refuses requests
that a page in a browser could send on its own. On the command line, only `show` prints an event's content.
"""

import argparse
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.replay import replay
from reference_impl.errors import BreakerOpenError, StoreError
from reference_impl.ingest.app import json
from reference_impl.settings import Settings
from reference_impl.store.connections import ConnectionGate, connect_without_timeouts
from reference_impl.store.writer import Store

#: Most dead letters that are read, or sent, at once.
PAGE = 100
#: The HTTP status of each outcome; the command line returns 1 for any but 200.
STATUS = {"stored": 200, "dropped": 200, "refused": 409, "under a handler": 409, "absent": 404}


async def operate(store: Store, operation: str, event_id: UUID) -> repository.StoredDeadLetter | str:
    """Show, replay or drop a dead letter: itself, or the outcome."""
    if operation == "replay":
        return await replay(store, event_id)
    if operation == "drop":
        return "dropped" if await repository.drop(store.connection, event_id) else "absent"
    return await repository.find(store.connection, event_id) or "absent"


async def list_all(store: Store) -> AsyncIterator[repository.StoredDeadLetter]:
    """Every dead letter, in insertion order."""
    after = 0
    while page := await repository.page(store.connection, after, PAGE):
        for letter in page:
            yield letter
        after = page[-1].id


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command `dead-letters`."""
    commands = parser.add_subparsers(dest="operation", required=True, metavar="list | show | replay | drop")
    commands.add_parser("list", help="print one line each, without content: id, last failure, attempts, cause")
    commands.add_parser("show", help="print one in full, as JSON").add_argument("event_id", type=UUID, nargs=1)
    commands.add_parser("drop", help="delete these; their ids stay dead").add_argument("event_id", type=UUID, nargs="+")
    again = commands.add_parser("replay", help="store the events of these, once, however often you replay them")
    again.add_argument("event_id", type=UUID, nargs="*")
    again.add_argument("--all", action="store_true", help="replay every dead letter")


async def run(settings: Settings, given: argparse.Namespace) -> int:
    """The command `dead-letters`. Returns 1 when a dead letter is absent, or its event is refused again."""
    async with await connect_without_timeouts(settings) as connection:
        store = Store(connection, settings)
        if given.operation == "list":
            async for one in list_all(store):
                print(one.event_id, f"{one.last_failed_at:%Y-%m-%dT%H:%M:%SZ}", one.attempts, one.cause, sep="\t")
            return 0
        ids = [one.event_id async for one in list_all(store)] if vars(given).get("all") else given.event_id
        return int(not all([await _print(store, given.operation, event_id) for event_id in ids]))


async def _print(store: Store, operation: str, event_id: UUID) -> bool:
    result = await operate(store, operation, event_id)
    if isinstance(result, repository.StoredDeadLetter):
        print(msgspec.json.format(msgspec.json.encode(result)).decode())
        return True
    print(f"{event_id}\t{result}")
    return STATUS[result] == 200


def routes(admin: ConnectionGate) -> list[Route]:
    """The routes of a worker."""

    async def handle(request: Request) -> Response:
        try:
            async with admin.connection() as connection:
                return await _respond(Store(connection, admin.settings), request)
        except ValueError:
            return json({"error": "expected a UUID in the path, and numbers for after and limit"}, 422)
        except (BreakerOpenError, StoreError) as e:
            return json({"error": str(e)}, 503, {"Retry-After": "1"})

    return [
        Route("/dead-letters", handle),
        Route("/dead-letters/{event_id}", handle, methods=["GET", "DELETE"]),
        Route("/dead-letters/{event_id}/replay", handle, methods=["POST"]),
    ]


async def _respond(store: Store, request: Request) -> Response:
    if "event_id" not in request.path_params:
        after, limit = int(request.query_params.get("after", 0)), int(request.query_params.get("limit", PAGE))
        letters = await repository.page(store.connection, after, max(1, min(PAGE, limit)))
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in letters)
        return Response(lines, media_type="application/x-ndjson")
    event_id = UUID(request.path_params["event_id"])
    result = await operate(store, {"POST": "replay", "DELETE": "drop"}.get(request.method, "show"), event_id)
    if isinstance(result, repository.StoredDeadLetter):
        return json(result)
    return json({"eventId": event_id, "outcome": result}, STATUS[result])
