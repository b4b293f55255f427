"""The entries of a Redis key as dead letters: each a JSON object, whose event and id are found by JSON Pointers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import redis

from shaketable.errors import TargetError
from shaketable.stack.stack import OWN_NAME
from shaketable.target.readers import ndjson
from shaketable.target.readers.ndjson import Row
from shaketable.target.readers.redis_keys import ANSWER_S, RedisKeys
from shaketable.target.source_tables import DeadLetterKey, QueueKey

#: Entries read at a time, and the most entries.
PAGE, MOST = 1_000, 1_000_000


def count(url: str, key: DeadLetterKey) -> int | None:
    """The number of entries; None when Redis does not answer."""
    keys = RedisKeys(url)
    try:
        found = list(keys.lengths([QueueKey(key.key, key.type)]).values())
        known = [length for length in found if length is not None]
        return sum(known) if len(known) == len(found) else None
    except redis.RedisError:
        return None
    finally:
        keys.close()


def rows(url: str, key: DeadLetterKey) -> Iterator[Row]:
    """Each entry as a row; an unreadable one has the reason. Raises TargetError when Redis does not answer."""
    try:
        with redis.Redis.from_url(url, socket_timeout=ANSWER_S, client_name=OWN_NAME) as server:
            for number, entry in enumerate(_entries(server, key)):
                if number == MOST:
                    raise TargetError(f"the manifest's [dead_letters] key {key.key} has more than {MOST:,} entries")
                yield _row(entry, key)
    except redis.RedisError as e:
        raise TargetError(f"the manifest's [dead_letters] key {key.key} cannot be read: {e}") from e


def _entries(server: Any, key: DeadLetterKey) -> Iterator[bytes]:
    if key.type == "set":
        yield from server.sscan_iter(key.key, count=PAGE)
    elif key.type == "hash":
        yield from (value for _, value in server.hscan_iter(key.key, count=PAGE))
    elif key.type == "stream":
        yield from _stream(server, key)
    else:
        start = 0
        read = server.lrange if key.type == "list" else server.zrange
        while page := list(read(key.key, start, start + PAGE - 1)):
            yield from page
            start += PAGE


def _stream(server: Any, key: DeadLetterKey) -> Iterator[bytes]:
    after = "-"
    while page := list(server.xrange(key.key, after, count=PAGE)):
        for _, entry in page:
            yield entry.get(key.field.encode(), b"")
        after = f"({page[-1][0].decode()}"


def _row(entry: bytes, key: DeadLetterKey) -> Row:
    """The entry as a line of NDJSON would be read; its other members are kept."""
    event, event_id = (ndjson.at(entry, pointer) for pointer in (key.event, key.id))
    if event is None:
        return {"event_id": None, "unreadable": f"the entry has no {key.event or 'JSON'}"}
    members = {name: value for name, value in ndjson.members(entry).items() if name not in ("event", "event_id")}
    return ndjson.from_members({**members, "event": event.decode(), "event_id": (event_id or b"null").decode()})
