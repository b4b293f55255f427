"""The lengths of Redis keys: a bounded session of the harness's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

from shaketable.stack.stack import OWN_NAME
from shaketable.target.source_tables import QueueKey

#: Timeout of a command in seconds.
ANSWER_S = 2.0

_LENGTH = {"stream": "xlen", "list": "llen", "zset": "zcard", "set": "scard", "hash": "hlen"}


class RedisKeys:
    """The lengths of the manifest's keys."""

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, client_name=OWN_NAME
        )

    def lengths(self, keys: Sequence[QueueKey]) -> dict[str, int | None]:
        """The length of every existing key; None for a key of another type. Raises redis.RedisError."""
        named = [(name, key) for key in keys for name in self._names(key)]
        plain = [(name, _LENGTH[key.type]) for name, key in named if key.type != "groups"]
        with self._redis.pipeline(transaction=False) as pipeline:
            for name, command in plain:
                getattr(pipeline, command)(name)
            answers = pipeline.execute(raise_on_error=False)  # a key of another type leaves the others theirs
        found = {name: _length(answer) for (name, _), answer in zip(plain, answers, strict=True)}
        return found | {name: self._unacknowledged(name) for name, key in named if key.type == "groups"}

    def close(self) -> None:
        """Close the session."""
        self._redis.close()

    def _names(self, key: QueueKey) -> list[str]:
        if "*" not in key.key:
            return [key.key]
        kind = "stream" if key.type == "groups" else key.type
        return [name.decode() for name in self._redis.scan_iter(key.key, count=1000, _type=kind)]

    def _unacknowledged(self, name: str) -> int | None:
        """Entries that a stream's consumer groups have not acknowledged or not read; all without a group."""
        if not self._redis.exists(name):
            return 0
        try:
            groups = self._redis.xinfo_groups(name)
        except redis.ResponseError as e:
            return _length(e)
        return sum(self._of_group(name, group) for group in groups) if groups else int(self._redis.xlen(name))

    def _of_group(self, name: str, group: dict[str, Any]) -> int:
        unread = group["lag"]  # None once entries were deleted: then count them
        if unread is None:
            unread = len(self._redis.xrange(name, f"({group['last-delivered-id'].decode()}") or ())
        return int(group["pending"]) + int(unread)


def _length(answer: Any) -> int | None:
    """The number in an answer; None for a key of another type. Raises any other error."""
    if isinstance(answer, redis.ResponseError) and str(answer).startswith("WRONGTYPE"):
        return None
    if isinstance(answer, Exception):
        raise answer
    return int(answer)
