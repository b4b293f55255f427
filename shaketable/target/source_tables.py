"""The manifest's [stored], [dead_letters] and [queue]: where the harness reads events, past every link."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from shaketable.target.strict import Strict

_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
#: By table: the keys that need contract = 2.
SINCE_2 = {
    "stored": ("url", "command", "process", "service"),
    "dead_letters": ("process", "redis"),
    "queue": ("sql", "url", "command", "process", "service", "parked"),
}


class Stored(Strict, frozen=True, forbid_unknown_fields=True):
    """Where the target stores events; exactly one of sql, url and command. Absent with [outbound]."""

    sql: str | None = None
    url: str | None = None  # a path of the target, which responds with NDJSON
    command: tuple[str, ...] = ()  # prints NDJSON
    process: str | None = None  # the process on whose port the url is; default: the intake
    service: str | None = None  # the service that holds the events; default: postgres for sql
    relation: str | None = None
    updates: bool = False  # rows are updated in place, so order is not judged
    adds: tuple[str, ...] = ()  # members the target may add to an event


class DeadLetterKey(Strict, frozen=True, forbid_unknown_fields=True):
    """A Redis key whose entries are dead letters, each a JSON object."""

    key: str
    type: Literal["stream", "list", "zset", "set", "hash"] = "list"
    field: str = "event"  # of a stream's entries: the one that holds the JSON
    event: str = "/event"  # JSON Pointers into an entry; "" is the entry itself
    id: str = "/event_id"


class DeadLetters(Strict, frozen=True, forbid_unknown_fields=True):
    """Where the target stores events that cannot be stored as such; exactly one of sql, url and redis."""

    sql: str | None = None
    url: str | None = None  # a path of the target, which responds with NDJSON
    process: str | None = None  # the process on whose port the url is; default: the intake
    redis: DeadLetterKey | None = None


class QueueKey(Strict, frozen=True, forbid_unknown_fields=True):
    """Redis keys with accepted events that are not yet stored; `*` matches several.

    The type `groups` is a stream that retains delivered entries: only entries that its consumer groups have not
    acknowledged count.
    """

    key: str
    type: Literal["stream", "groups", "list", "zset", "set", "hash"] = "list"


class Counted(Strict, frozen=True, forbid_unknown_fields=True):
    """A number of events; exactly one of redis, sql, url and command."""

    redis: tuple[QueueKey, ...] = ()
    sql: str | None = None  # one row with one number
    url: str | None = None  # a path of the target, which responds with a number
    command: tuple[str, ...] = ()  # prints a number
    process: str | None = None  # the process on whose port the url is; default: the intake


class Queue(Counted, frozen=True, forbid_unknown_fields=True):
    """The accepted events that are not yet stored, including unacknowledged ones; exactly one of the four."""

    service: str | None = None  # the service that holds the queue; default: postgres for sql, redis for redis
    parked: Counted | None = None  # events that the target has given up and nobody retries: lost, with this reason

    @property
    def stands_on(self) -> str | None:
        """The service without which the intake cannot accept events; None if the manifest does not say."""
        return self.service or ("redis" if self.redis else "postgres" if self.sql else None)


def mistakes(
    stored: Stored, dead: DeadLetters | None, queue: Queue | None, processes: list[str], outbound: bool
) -> Iterator[str]:
    """Sentences on keys that contradict each other, each with the remedy."""
    tables: dict[str, Any] = {"dead_letters": dead, "queue": queue, "queue.parked": queue and queue.parked}
    if not outbound or _sources(stored):
        tables = {"stored": stored, **tables}
    for section, table in tables.items():
        if table is not None:
            yield from _mistakes(section, table, processes)
    if dead is not None and dead.redis is not None:
        for key in ("event", "id"):
            if not _POINTER.fullmatch(found := getattr(dead.redis, key)):
                yield f"expected dead_letters.redis.{key} as a JSON Pointer, got {found!r}: write '/event' or so"
    if outbound and _sources(stored):
        yield f"[outbound] is what is stored, and [stored] has its own {_sources(stored)[0]}: leave one out"


def _mistakes(section: str, table: Any, processes: list[str]) -> Iterator[str]:
    known = [name for name in ("redis", "sql", "url", "command") if hasattr(table, name)]
    if len(named := _sources(table)) != 1:
        yield f"expected [{section}] to have one of {', '.join(known)}, got {' and '.join(named) or 'none'}: name one"
    if table.url is not None and not (table.url.startswith("/") and table.url.isprintable() and " " not in table.url):
        hint = f": write {'/' + table.url!r}" if not table.url.startswith(("http:", "https:", "/")) else ""
        yield f"expected {section}.url to begin with a slash and to hold no space, got {table.url!r}{hint}"
    if table.process is not None and table.url is None:
        yield f"{section}.process names the port of a url, and [{section}] has none: leave it out"
    if table.process is not None and table.process not in processes:
        yield f"expected {section}.process to be one of {', '.join(processes)}, got {table.process!r}"


def _sources(table: Any) -> list[str]:
    return [name for name in ("redis", "sql", "url", "command") if getattr(table, name, None)]
