"""The presets in force: read from the store at intervals, and cached in the queue's server for its outages."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

import msgspec
import psycopg
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from reference_impl import log
from reference_impl.event.preset import Preset
from reference_impl.queue import streams
from reference_impl.queue.heartbeats import QUEUE_UNAVAILABLE
from reference_impl.resilience import error_classes
from reference_impl.resilience.background import Sleep
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.connections import bounded

#: Pause while the cache does not answer, in seconds.
CACHE_RETRY_S = 0.2

#: The data classification of a preset is a default value like the others.
_READ = """
select coalesce(jsonb_agg(jsonb_build_object(
    'name', name, 'organization_id', organization_id, 'action', action, 'required_fields', required_fields,
    'validation', validation,
    'default_values', jsonb_strip_nulls(jsonb_build_object('dataClassification', data_classification)) || default_values
)), '[]')::text from audit_preset
"""

_decode = msgspec.json.Decoder(list[Preset]).decode


class Presets:
    """Finds the preset of an event, the most specific first: by organization and action, by one of them, or for all."""

    def __init__(self, settings: Settings, sleep: Sleep) -> None:
        self._settings, self._sleep = settings, sleep
        self._found: dict[tuple[str | None, str | None], Preset] = {}
        self.loaded = False
        self.looked = asyncio.Event()  # set once they are loaded, or the first attempt has ended

    def of(self, organization_id: str | None, action: str) -> Preset | None:
        """The most specific preset of such an event."""
        if not self._found:
            return None
        keys = ((organization_id, action), (organization_id, None), (None, action), (None, None))
        return next((self._found[key] for key in keys if key in self._found), None)

    async def run(self) -> None:
        """Refresh at intervals, until the sleep raises ShuttingDown."""
        while True:
            pause = self._settings.preset_refresh_s
            try:
                await self._refresh()
                self.looked.set()
            except QUEUE_UNAVAILABLE:  # no event is accepted meanwhile
                pause = CACHE_RETRY_S
            await self._sleep(pause)

    async def _refresh(self) -> None:
        """Read the cache until they are loaded, then the store. Invalid presets change nothing.

        Raises QUEUE_UNAVAILABLE.

        So an intake that starts during an outage of the store has them before it notices the outage.
        """
        if not self.loaded or not self._settings.database_url:
            self._put_in_force(_validated(await self._read_cache()))
        if self._settings.database_url and (found := _validated(packed := await self._read_store())) is not None:
            try:
                async with self._connect() as redis:
                    await redis.set(streams.PRESETS, packed or b"")
            except QUEUE_UNAVAILABLE as e:
                log.warning("presets cannot be cached", type=type(e).__name__)
            self._put_in_force(found)

    def _connect(self) -> Redis:
        """A new connection each time: the address may lead to another primary by now."""
        return streams.connect(self._settings.redis_url, self._settings.enqueue_timeout_s)

    def _put_in_force(self, presets: list[Preset] | None) -> None:
        if presets is not None:
            self._found = {(one.organization_id, one.action): one for one in presets}
            self.loaded = True
            self.looked.set()

    async def _read_cache(self) -> bytes | None:
        """The cached presets, as JSON; None where there are none. Raises QUEUE_UNAVAILABLE."""
        async with self._connect() as redis:
            with suppress(ResponseError):  # the key is not a string, and so not ours
                return cast("bytes | None", await redis.get(streams.PRESETS))
        return None

    async def _read_store(self) -> bytes | None:
        """The presets of the store, as JSON; None while it is unavailable."""
        try:
            connection = await connections.connect(self._settings)
            try:
                with bounded(connection, self._settings.attempt_timeout_s):
                    row = await (await connection.execute(_READ)).fetchone()
            finally:
                await connections.close(connection)
        except psycopg.Error as e:
            log.warning("presets cannot be read from the store", why=str(error_classes.to_store_error(e)))
            return None
        return str(row[0]).encode() if row else b"[]"


def _validated(packed: bytes | None) -> list[Preset] | None:
    """The presets, or None where there are none or one is invalid."""
    try:
        return None if packed is None else _decode(packed)
    except msgspec.MsgspecError as e:
        log.warning("a preset cannot be used; the earlier ones stay in force", why=str(e))
        return None
