"""Count queued, stored and dead-lettered events directly, without a link."""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple, Self

import psycopg
import redis
from psycopg import sql

from shaketable import libpq
from shaketable.stack.stack import OWN_NAME, Stack
from shaketable.target import dead_letters
from shaketable.target.manifest import Manifest, QueueKey

#: Timeout of a count in milliseconds: counting must not become a load.
COUNT_MS = 2_000
#: Timeout in seconds for a server that does not enforce COUNT_MS because it is frozen.
ANSWER_S = COUNT_MS / 1000 + 1

_LENGTH = {"stream": "xlen", "list": "llen", "zset": "zcard", "set": "scard", "hash": "hlen"}


class Counts(NamedTuple):
    """Numbers of events; None if not observable."""

    queue: int | None
    stored: int | None
    dead: int | None


class Backlog:
    """Direct, bounded sessions of the harness; a failed count is None, and the session is replaced."""

    def __init__(self, stack: Stack, manifest: Manifest) -> None:
        self._stack, self._manifest = stack, manifest
        self._redis = redis.Redis.from_url(
            stack.redis_url(), socket_timeout=2, socket_connect_timeout=2, client_name=OWN_NAME
        )
        self._postgres: psycopg.Connection[tuple[int]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._redis.close()
        self._drop()

    def counts(self) -> Counts:
        """The current counts."""
        return Counts(self.queue(), self._count(self._manifest.stored.sql), self._dead())

    def _dead(self) -> int | None:
        dead = self._manifest.dead_letters
        if dead is None:
            return 0
        return dead_letters.count(dead.url) if dead.url else self._count(dead.sql or "")

    def queue(self) -> int | None:
        """Entries in all queue keys of the target; None if the manifest names none, or Redis does not answer."""
        if self._manifest.queue is None:
            return None
        try:
            return sum(self._length(key) for key in self._manifest.queue.redis)
        except redis.RedisError:
            return None

    def by_key(self) -> dict[str, int]:
        """The length of every existing queue key."""
        keys = self._manifest.queue.redis if self._manifest.queue else ()
        return {name: self._measure(name, key) for key in keys for name in self._names(key)}

    def _length(self, key: QueueKey) -> int:
        return sum(self._measure(name, key) for name in self._names(key))

    def _names(self, key: QueueKey) -> list[str]:
        if "*" not in key.key:
            return [key.key]
        kind = "stream" if key.type == "groups" else key.type
        return [name.decode() for name in self._redis.scan_iter(key.key, count=1000, _type=kind)]

    def _measure(self, name: str, key: QueueKey) -> int:
        if key.type == "groups":
            return self._unacknowledged(name)
        return int(getattr(self._redis, _LENGTH[key.type])(name))

    def _unacknowledged(self, name: str) -> int:
        """Entries that a stream's consumer groups have not acknowledged or not read; all without a group."""
        if not self._redis.exists(name):
            return 0
        groups = self._redis.xinfo_groups(name)
        return sum(self._of_group(name, group) for group in groups) if groups else int(self._redis.xlen(name))

    def _of_group(self, name: str, group: dict[str, Any]) -> int:
        unread = group["lag"]  # None once entries were deleted: then count them
        if unread is None:
            unread = len(self._redis.xrange(name, f"({group['last-delivered-id'].decode()}") or ())
        return int(group["pending"]) + int(unread)

    def _count(self, query: str) -> int | None:
        try:
            session = self._session()
            with libpq.time_limit(session, ANSWER_S):
                row = session.execute(
                    sql.SQL("select count(*) from ({}) as q").format(sql.SQL(query)), prepare=True
                ).fetchone()
            return row[0] if row else None
        except psycopg.Error:
            self._drop()
            return None

    def _session(self) -> psycopg.Connection[tuple[int]]:
        if self._postgres is None or self._postgres.closed:
            # with the harness's role: a fault may exhaust the connections of the target's role
            self._postgres = libpq.connect_read_only(
                self._stack.admin_url(),
                COUNT_MS / 1000,
                autocommit=True,
                connect_timeout=2,
                options="-c log_duration=off",
            )
        return self._postgres

    def _drop(self) -> None:
        if self._postgres is not None:
            self._postgres.close()
            self._postgres = None
