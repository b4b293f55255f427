"""The presets in force: read from the store again and again, cached in the queue's server for its outages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
import psycopg
from redis.exceptions import ResponseError

from reference_impl import log
from reference_impl.event.preset import Preset
from reference_impl.queue import streams
from reference_impl.queue.heartbeats import QUEUE_AWAY
from reference_impl.resilience import error_classes
from reference_impl.resilience.backoff import Sleep
from reference_impl.resilience.watchdog import bounded
from reference_impl.settings import Settings
from reference_impl.store import connections

#: Wait before the next look while the cache does not answer, in seconds.
CACHE_AWAY_S = 0.2

#: A class of the preset's own is a default like the others.
_READ = """
select coalesce(jsonb_agg(jsonb_build_object(
    'name', name, 'organization_id', organization_id, 'action', action, 'required_fields', required_fields,
    'validation', validation,
    'default_values', jsonb_strip_nulls(jsonb_build_object('dataClassification', data_classification)) || default_values
)), '[]')::text from audit_preset
"""

_decode = msgspec.json.Decoder(list[Preset]).decode


class Presets:
    """Finds the preset of an event: the organization's for the action, its own for any, everybody's."""

    def __init__(self, settings: Settings, sleep: Sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self._found: dict[tuple[str | None, str | None], Preset] = {}
        self.loaded = False
        self.looked = asyncio.Event()  # set once they are loaded, or the first look has ended

    def of(self, organization_id: str | None, action: str) -> Preset | None:
        """The preset that says most of such an event."""
        if not self._found:
            return None
        asked = ((organization_id, action), (organization_id, None), (None, action), (None, None))
        return next((self._found[key] for key in asked if key in self._found), None)

    async def run(self) -> None:
        """Look again and again, until ShuttingDown is raised by the sleep."""
        while True:
            try:
                await self.look()
                self.looked.set()
                pause = self._settings.preset_refresh_s
            except QUEUE_AWAY:  # nothing is taken meanwhile
                pause = CACHE_AWAY_S
            await self._sleep(pause)

    async def look(self) -> None:
        """One look: at the cache while they are not loaded, then at the store. What is unusable changes nothing.

        So an intake that starts in an outage of the store has them before that outage is noticed. Raises QUEUE_AWAY.
        """
        if not (self.loaded and self._settings.database_url):
            await self._take(self._read_cache)
        await self._take(self._read_store)

    async def _take(self, read: Callable[[], Awaitable[bytes | None]]) -> None:
        """Put in force what is read; None changes nothing."""
        try:
            if (packed := await read()) is not None:
                self._found = {(one.organization_id, one.action): one for one in _decode(packed)}
                self.loaded = True
                self.looked.set()
        except msgspec.MsgspecError as e:
            log.warning("a preset cannot be used; those of before stay", why=str(e))

    async def _read_store(self) -> bytes | None:
        """What the store has, put into the cache; None while it is away, or none is set."""
        if not self._settings.database_url:
            return None
        try:
            packed = await self._ask()
        except psycopg.Error as e:
            log.warning("presets cannot be read from the store", why=str(error_classes.to_store_error(e)))
            return None
        _decode(packed)  # an unusable one stays out of the cache
        try:
            async with streams.connect(self._settings.redis_url, self._settings.enqueue_timeout_s) as redis:
                await redis.set(streams.PRESETS, packed)
        except QUEUE_AWAY as e:
            log.warning("presets cannot be cached", type=type(e).__name__)
        return packed

    async def _ask(self) -> bytes:
        connection = await connections.connect(self._settings)
        try:
            with bounded(connection, self._settings.attempt_timeout_s):
                row = await (await connection.execute(_READ)).fetchone()
        finally:
            await connections.close(connection)
        return str(row[0]).encode() if row else b"[]"

    async def _read_cache(self) -> bytes | None:
        """What is cached; None where nothing of ours is. Raises QUEUE_AWAY."""
        try:
            async with streams.connect(self._settings.redis_url, self._settings.enqueue_timeout_s) as redis:
                return cast("bytes | None", await redis.get(streams.PRESETS))
        except ResponseError:  # it is there, and will not tell: not a string, say
            return None
