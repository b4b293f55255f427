"""The whole processor in one process, as a library.

processor = ReliableEventProcessor(Settings(database_url=..., redis_url=...))
await processor.start()
await processor.add_event({"timestamp": ..., "action": "login", "status": "success"})
await processor.stop()
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from reference_impl.health import Status
from reference_impl.intake import Intake
from reference_impl.settings import Settings
from reference_impl.worker import Worker


class ReliableEventProcessor:
    """Takes events in and delivers them, at least once, each stored once."""

    def __init__(self, settings: Settings) -> None:
        settings.require("database_url", "redis_url")
        self._worker = Worker(settings)
        self._intake = Intake(settings, self._worker.watch, self._worker.sleep)
        self._connected: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to take events in and to deliver them; returns at once, also while the servers are away."""
        self._worker.start()
        self._connected = asyncio.create_task(self._intake.pipeline.run())

    async def add_event(self, event: Mapping[str, object]) -> str:
        """Return the event's id once the queue has it. Raises RefusedError, NotNowError or UnknownError."""
        return await self._intake.add(msgspec.json.encode(event))

    async def stop(self) -> None:
        """Finish the batches at hand, and give back what is held."""
        await self._worker.stop()
        if self._connected is not None:
            await asyncio.gather(self._connected, return_exceptions=True)

    def health_status(self) -> Status:
        """The score, the breaker's state, depth and dead letters."""
        return self._worker.watch.status()
