"""The whole processor in one process, as a library.

async with ReliableEventProcessor(Settings.read()) as processor:
    event_id = await processor.add_event({"timestamp": ..., "action": "login", "status": "success"})
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg

from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.delivery.worker import Worker
from reference_impl.errors import TemporarilyUnavailable
from reference_impl.event import i_json
from reference_impl.ingest.intake import Intake
from reference_impl.operations.health import Status
from reference_impl.resilience import background, error_classes
from reference_impl.resilience.circuit_breaker import Listener
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.handler import Handler


class ReliableEventProcessor:
    """Takes events in and delivers them at least once: each stored once, or each to a handler of your own.

    `listener` is told (from, to, reason) before each transition of the breaker takes effect.
    """

    def __init__(self, settings: Settings, handle: Handler | None = None, listener: Listener | None = None) -> None:
        settings.require("database_url", "redis_url")
        self._settings = settings
        self._worker = Worker(settings, handle)
        self._worker.breaker.listeners += [listener] if listener else []
        self._stopped = asyncio.Event()
        self._intake = Intake(settings, self._worker.monitor, background.sleeper(self._stopped))
        self._parts: background.Parts = []

    async def start(self) -> None:
        """Begin to take events in and to deliver them. Waits for queue and presets, at most connect_timeout_s.

        Raises SettingsError at a pooler that shares sessions.
        """
        await connections.require_sessions(self._settings)
        self._worker.start()
        self._parts = background.start(self._worker.stopping, self._intake.run)
        await self._intake.ready(self._settings.connect_timeout_s)

    async def add_event(self, event: Mapping[str, object]) -> str:
        """Return the event's id once the queue has it. Raises RefusedError, TemporarilyUnavailable or Indeterminate."""
        if self._worker.stopping.is_set():
            raise TemporarilyUnavailable("the processor was told to stop, or ended by a defect")
        return await self._intake.add(i_json.encoded(event))

    async def replay(self, event_id: str | UUID) -> Outcome:
        """Store the event of a dead letter; again and again does it once. Raises BreakerOpenError or StoreError."""
        try:
            async with self._worker.admin.store() as store:
                return await replay(store, UUID(str(event_id)))
        except psycopg.Error as e:
            raise error_classes.to_store_error(e, self._settings) from None

    async def stop(self) -> None:
        """Finish the batches at hand or give them back, within stop_grace_s; what is queued stays queued.

        Raises what a part ended by.
        """
        try:
            await self._worker.stop()
        finally:  # only now: an event that is being added still waits for the queue's reply
            self._stopped.set()
            await background.end(self._parts)
        background.blame(self._parts)

    def health_status(self) -> Status:
        """The score, the breaker's state, depth and dead letters."""
        return self._worker.monitor.status()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
