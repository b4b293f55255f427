"""Count the pending events of a target: accepted, and not yet stored."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import redis

from shaketable.errors import TargetError
from shaketable.stack.stack import Stack
from shaketable.target.manifest import Manifest
from shaketable.target.readers import command, pages
from shaketable.target.readers.database import Database
from shaketable.target.readers.redis_keys import RedisKeys
from shaketable.target.source_tables import Counted

#: A command runs at most every second, and a fifth of the time: counting must not become a load.
EVERY_S, SHARE = 1.0, 5.0
#: Seconds after which a number says nothing about the present.
CURRENT_S = 1.0


class QueueReader:
    """Counts by one table of the manifest, `[queue]` or `[queue.parked]`; a failed count is None."""

    def __init__(self, stack: Stack, manifest: Manifest, table: Counted, section: str = "queue") -> None:
        self._stack, self._manifest, self._table, self._section = stack, manifest, table, section
        self._keys = RedisKeys(stack.redis_url()) if table.redis else None
        self._database = Database(stack) if table.sql else None
        self._command = Throttled(lambda: command.number(stack, manifest, section, table.command))

    def by_key(self) -> dict[str, int | None]:
        """Count now: under each Redis key, or under the name of the section. Raises redis.RedisError."""
        if self._keys is not None:
            return {**self._keys.lengths(self._table.redis)}
        return {self._section: self._number()}

    def total(self, oldest_s: float = math.inf) -> int | None:
        """The number of pending events; None when it is unknown, or that of a command is older than `oldest_s`."""
        if self._table.command:
            return self._command.value(oldest_s)
        try:
            found = list(self.by_key().values())
        except redis.RedisError:
            return None
        known = [number for number in found if number is not None]
        return sum(known) if len(known) == len(found) else None

    def check(self) -> None:
        """Try it before the load. Raises TargetError naming the section."""
        if self._table.command:
            command.number(self._stack, self._manifest, self._section, self._table.command)
        elif self.total() is None:
            key, expected = ("sql", "one row with one") if self._table.sql else ("url", "200 and a")
            raise TargetError(
                f"the manifest's [{self._section}] {key} gives no number: expected {expected} whole number"
            )

    def close(self) -> None:
        """Close its sessions."""
        for each in (self._keys, self._database):
            if each is not None:
                each.close()

    def _number(self) -> int | None:
        if self._database is not None:
            return self._database.number(self._table.sql or "")
        return pages.number(self._table.url) if self._table.url else self._command.count()


class Throttled:
    """The last number of a function that is expensive; None once it fails."""

    def __init__(self, function: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._function, self._clock = function, clock
        self._last: int | None = None
        self._counted = self._due = 0.0

    def value(self, oldest_s: float = math.inf) -> int | None:
        """Count again if it is due; otherwise the last number, unless it is older than `oldest_s`."""
        if self._clock() >= self._due:
            return self.count()
        return self._last if self._clock() - self._counted <= oldest_s else None

    def count(self) -> int | None:
        """Count again, whether it is due or not."""
        began = self._clock()
        try:
            self._last = self._function()
        except TargetError:
            self._last = None
        ended = self._clock()
        self._counted, self._due = ended, ended + max(EVERY_S, (SHARE - 1) * (ended - began))
        return self._last
