"""Count queued, stored and dead-lettered events directly, without a link."""

from __future__ import annotations

import math
from types import TracebackType
from typing import NamedTuple, Self

from shaketable.stack.stack import Stack
from shaketable.target import dead_letters
from shaketable.target.manifest import Manifest
from shaketable.target.readers import redis_entries
from shaketable.target.readers.database import Database
from shaketable.target.readers.queue import QueueReader
from shaketable.target.readers.stored import StoredCount


class Counts(NamedTuple):
    """Numbers of events; None if not observable."""

    queue: int | None
    stored: int | None
    dead: int | None


class Backlog:
    """Direct, bounded sessions of the harness; a failed count is None, and the session is replaced."""

    def __init__(self, stack: Stack, manifest: Manifest) -> None:
        self._stack, self._manifest, queue = stack, manifest, manifest.queue
        self._queue = QueueReader(stack, manifest, queue) if queue else None
        parked = queue.parked if queue else None
        self._parked = QueueReader(stack, manifest, parked, "queue.parked") if parked else None
        self._stored, self._dead_letters = StoredCount(stack, manifest), Database(stack)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._queue, self._parked, self._stored, self._dead_letters):
            if each is not None:
                each.close()

    def counts(self, oldest_s: float = math.inf) -> Counts:
        """The counts; a queue's number that is older than `oldest_s` is None, since a command is not run each time."""
        return Counts(self.queue(oldest_s), self.stored(), self._dead())

    def stored(self) -> int | None:
        """The stored events."""
        return self._stored.value()

    def _dead(self) -> int | None:
        dead = self._manifest.dead_letters
        if dead is None:
            return 0
        if dead.redis is not None:
            return redis_entries.count(self._stack.redis_url(), dead.redis)
        return dead_letters.count(dead.url) if dead.url else self._dead_letters.count(dead.sql or "")

    def queue(self, oldest_s: float = math.inf) -> int | None:
        """Pending events, without parked ones; None if the manifest names no queue, or it does not answer."""
        return self._queue.total(oldest_s) if self._queue else None

    def by_key(self) -> dict[str, int | None]:
        """The length of every existing queue key. Raises redis.RedisError."""
        return self._queue.by_key() if self._queue else {}

    def parked(self) -> dict[str, int | None]:
        """The number of parked events under each key. Raises redis.RedisError."""
        return self._parked.by_key() if self._parked else {}
