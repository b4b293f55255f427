"""The whole processor in one process, as a library.

async with ReliableEventProcessor(Settings.read()) as processor:
    event_id = await processor.add_event({"timestamp": ..., "action": "login", "status": "success"})
"""

import asyncio
from collections.abc import Mapping
from typing import Self
from uuid import UUID

from reference_impl.dead_letters.replay import Outcome, replay
from reference_impl.delivery.worker import Worker
from reference_impl.errors import TemporarilyUnavailable
from reference_impl.event import i_json
from reference_impl.ingest.intake import Intake
from reference_impl.operations.health import Status
from reference_impl.resilience import background
from reference_impl.resilience.circuit_breaker import Listener
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.handler import Handler
from reference_impl.store.writer import Store


class ReliableEventProcessor:
    """Accepts events and delivers them at least once: stores each once, or passes each to your handler.

    `listener` is called with (from, to, reason) before each transition of the breaker takes effect.
    """

    def __init__(self, settings: Settings, handle: Handler | None = None, listener: Listener | None = None) -> None:
        settings.require("database_url", "redis_url")
        if handle:
            settings.require_lease(settings.attempt_timeout_s * connections.STATEMENT_SHARE, "a handler may be as slow")
        self._settings = settings
        self._worker = Worker(settings, handle)
        self._worker.breaker.listeners += [listener] if listener else []
        self._stopped = asyncio.Event()
        self._intake = Intake(settings, background.sleeper(self._stopped), self._worker.monitor)

    async def start(self) -> None:
        """Start, and wait up to connect_timeout_s for the queue and the presets.

        Raises SettingsError for a pooler that shares sessions.
        """
        await connections.require_sessions(self._settings)
        self._worker.start()
        self._running = asyncio.create_task(background.run_until_shutdown(self._worker.stopping, *self._intake.tasks))
        await self._intake.ready(self._settings.connect_timeout_s)

    async def add_event(self, event: Mapping[str, object]) -> str:
        """Queue an event and return its id. Raises RefusedError, TemporarilyUnavailable or Indeterminate."""
        if self._worker.stopping.is_set():
            raise TemporarilyUnavailable("the processor is stopping, or was ended by a defect")
        return await self._intake.add(i_json.encoded(event))

    async def replay(self, event_id: str | UUID) -> Outcome:
        """Store the event of a dead letter, once, however often you call. Raises BreakerOpenError or StoreError."""
        async with self._worker.admin.connection() as connection:
            return await replay(Store(connection, self._settings), UUID(str(event_id)))

    async def stop(self) -> None:
        """Finish batches or return them to the queue, within stop_grace_s. Raises the error of a background task."""
        try:
            await self._worker.stop()
        finally:  # after the worker, because an event that is being added still needs the queue's reply
            self._stopped.set()
            async with self._intake.pipeline.redis:  # closed also where a task has failed
                await self._running

    def health_status(self) -> Status:
        """The health score, the breaker's state, the queue's depth and the number of dead letters."""
        return self._worker.monitor.status()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
