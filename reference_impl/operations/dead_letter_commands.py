"""The clerk of the dead-letter office, by command line: list, show, replay, drop.

`list` tells no content; `show` tells all of it.
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import msgspec

from reference_impl.dead_letters import repository
from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.dead_letters.repository import StoredDeadLetter
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.writer import Store

#: Letters read at once.
PAGE = 100

#: Does its part, and says whether all went as asked.
Command = Callable[[Store, argparse.Namespace], Awaitable[bool]]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The words that follow `dead-letters`."""
    commands = parser.add_subparsers(dest="operation", required=True, metavar="list | show | replay | drop")
    commands.add_parser("list", help="one line each, without content: id, last failure, attempts, cause")
    commands.add_parser("show", help="one, in full, as JSON").add_argument("event_id", type=UUID)
    commands.add_parser("drop", help="delete these; their ids stay dead").add_argument("event_id", type=UUID, nargs="+")
    again = commands.add_parser("replay", help="store the events of these; again and again does it once")
    again.add_argument("event_id", type=UUID, nargs="*")
    again.add_argument("--all", action="store_true", help="every dead letter there is")


async def run(settings: Settings, given: argparse.Namespace) -> int:
    """The command `dead-letters`; 1 when a letter was not there, or was refused again."""
    command: Command = {"list": _list, "show": _show, "replay": _replay, "drop": _drop}[given.operation]
    store = Store(await connections.connect_without_timeouts(settings), settings)
    try:
        return 0 if await command(store, given) else 1
    finally:
        await connections.close(store.connection)


async def letters(store: Store) -> AsyncIterator[StoredDeadLetter]:
    """All of them, in the order of their deaths."""
    after = 0
    while page := await repository.page(store.connection, after, PAGE):
        for letter in page:
            yield letter
        after = page[-1].id


async def _list(store: Store, _: argparse.Namespace) -> bool:
    async for one in letters(store):
        print(one.event_id, f"{one.last_failed_at:%Y-%m-%dT%H:%M:%SZ}", one.attempts, one.cause, sep="\t")
    return True


async def _show(store: Store, given: argparse.Namespace) -> bool:
    letter = await repository.find(store.connection, given.event_id)
    print(msgspec.json.format(msgspec.json.encode(letter)).decode() if letter else f"{given.event_id}\tabsent")
    return letter is not None


async def _replay(store: Store, given: argparse.Namespace) -> bool:
    outcomes = set()
    for event_id in [one.event_id async for one in letters(store)] if given.all else given.event_id:
        outcomes.add(outcome := await replay(store, event_id))
        print(event_id, outcome, sep="\t")
    return outcomes <= {Outcome.STORED}


async def _drop(store: Store, given: argparse.Namespace) -> bool:
    dropped = [await repository.drop(store.connection, event_id) for event_id in given.event_id]
    for event_id, gone in zip(given.event_id, dropped, strict=True):
        print(event_id, "dropped" if gone else "absent", sep="\t")
    return all(dropped)
