"""Dead letters for operators: list, show, replay and drop, by command line and over HTTP.

    GET    /dead-letters?after=0&limit=100   JSON lines in insertion order; `after` is the `id` of the last one you have
    GET    /dead-letters/{eventId}           one, in full
    POST   /dead-letters/{eventId}/replay    200 stored, 409 refused, 404 absent
    DELETE /dead-letters/{eventId}           200 dropped, 404 absent

503 while this worker's breaker is not closed: the worker then sends nothing to the store. `server` refuses requests
that a page in a browser could send on its own. On the command line, only `show` prints an event's content.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_impl.dead_letters import replay, repository
from reference_impl.dead_letters.replay import Outcome
from reference_impl.dead_letters.repository import StoredDeadLetter
from reference_impl.errors import BreakerOpenError, StoreError
from reference_impl.ingest.server import json
from reference_impl.operations.admin_connections import AdminConnections
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.writer import Store

#: Most dead letters that are read, or sent, at once.
PAGE = 100
#: HTTP statuses of replays.
STATUS = {Outcome.STORED: 200, Outcome.REFUSED: 409, Outcome.ABSENT: 404, Outcome.HANDLED: 409}


class Result(msgspec.Struct, frozen=True):
    """The result of an operation on one dead letter: a word for the command line, status and body for HTTP."""

    outcome: str
    status: int  # 200: done as requested
    body: object


Operation = Callable[[Store, UUID], Awaitable[Result]]
Respond = Callable[[Store, Request], Awaitable[Response]]


async def show(store: Store, event_id: UUID) -> Result:
    """Return the dead letter in full."""
    if letter := await repository.find(store.connection, event_id):
        return Result("found", 200, letter)
    return Result("absent", 404, {"error": "no such dead letter"})


async def replay_one(store: Store, event_id: UUID) -> Result:
    """Store the event, once, however often it is replayed."""
    outcome = await replay.replay(store, event_id)
    return Result(outcome, STATUS[outcome], {"eventId": event_id, "outcome": outcome})


async def drop(store: Store, event_id: UUID) -> Result:
    """Delete the dead letter. The id stays dead."""
    dropped = await repository.drop(store.connection, event_id)
    outcome, status = ("dropped", 200) if dropped else ("absent", 404)
    return Result(outcome, status, {"eventId": event_id, "dropped": dropped})


async def list_all(store: Store) -> AsyncIterator[StoredDeadLetter]:
    """Every dead letter, in insertion order."""
    after = 0
    while page := await repository.page(store.connection, after, PAGE):
        for letter in page:
            yield letter
        after = page[-1].id


OPERATIONS: dict[str, Operation] = {"show": show, "replay": replay_one, "drop": drop}


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
    async with await connections.connect_without_timeouts(settings) as connection:
        store = Store(connection, settings)
        if given.operation == "list":
            async for one in list_all(store):
                print(one.event_id, f"{one.last_failed_at:%Y-%m-%dT%H:%M:%SZ}", one.attempts, one.cause, sep="\t")
            return 0
        replay_all = given.operation == "replay" and given.all
        ids = [one.event_id async for one in list_all(store)] if replay_all else given.event_id
        return int(not all([await _print(store, given.operation, event_id) for event_id in ids]))


async def _print(store: Store, operation: str, event_id: UUID) -> bool:
    result = await OPERATIONS[operation](store, event_id)
    shown = msgspec.json.format(msgspec.json.encode(result.body)).decode() if result.outcome == "found" else None
    print(shown or f"{event_id}\t{result.outcome}")
    return result.status == 200


def routes(admin: AdminConnections) -> list[Route]:
    """The routes of a worker."""

    def route(method: str, path: str, respond: Respond) -> Route:
        async def handle(request: Request) -> Response:
            try:
                async with admin.store() as store:
                    return await respond(store, request)
            except ValueError:
                return json({"error": "expected a UUID in the path, and numbers for after and limit"}, 422)
            except (BreakerOpenError, StoreError) as e:
                return json({"error": str(e)}, 503, {"Retry-After": "1"})

        return Route(f"/dead-letters{path}", handle, methods=[method])

    one = [("GET", "/{event_id}", show), ("POST", "/{event_id}/replay", replay_one), ("DELETE", "/{event_id}", drop)]
    return [route("GET", "", _list)] + [route(method, path, _respond(operation)) for method, path, operation in one]


async def _list(store: Store, request: Request) -> Response:
    after, limit = (int(request.query_params.get(name, default)) for name, default in (("after", 0), ("limit", PAGE)))
    letters = await repository.page(store.connection, after, max(1, min(PAGE, limit)))
    return Response(b"".join(msgspec.json.encode(one) + b"\n" for one in letters), media_type="application/x-ndjson")


def _respond(operation: Operation) -> Respond:
    async def respond(store: Store, request: Request) -> Response:
        result = await operation(store, UUID(request.path_params["event_id"]))
        return json(result.body, result.status)

    return respond
