"""The intake: takes an event only when it is valid and the queue has it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from reference_impl import event, metrics, queue
from reference_impl.enqueue import Pipeline
from reference_impl.errors import NotNowError, RefusedError, UnknownError
from reference_impl.presets import Presets
from reference_impl.retry import Sleep
from reference_impl.settings import Settings
from reference_impl.vitals import Watch

_encode = msgspec.json.Encoder().encode


class Intake:
    """Validates, stamps, enqueues."""

    def __init__(self, settings: Settings, watch: Watch, sleep: Sleep) -> None:
        self._settings, self._watch = settings, watch
        self.pipeline = Pipeline(
            settings.redis_url, settings.enqueue_timeout_s, settings.max_in_flight, settings.concurrency, sleep
        )
        self.presets = Presets(settings, sleep)

    async def run(self) -> None:
        """Keep the connection to the queue, and the presets, until StoppingError is raised by the sleep."""
        await asyncio.gather(self.pipeline.run(), self.presets.run())

    async def ready(self, within_s: float) -> None:
        """Return when the queue was reached and the presets were looked for, or when the time is up: they are away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.pipeline.connected.wait()
                await self.presets.looked.wait()

    async def add(self, body: bytes) -> str:
        """Accept one event in its wire form; returns its id. Raises RefusedError, NotNowError or UnknownError."""
        if len(body) > self._settings.max_event_bytes:
            raise RefusedError("event", f"expected at most {self._settings.max_event_bytes} bytes", 413)
        stamped = event.accept(body, datetime.now(UTC), self._settings.max_depth, self.presets.of)
        self._admit()
        began = time.perf_counter()
        await self.enqueue(stamped)
        metrics.INTAKE_S.observe(time.perf_counter() - began)
        metrics.ACCEPTED.inc()
        assert stamped.event.event_id is not None
        return stamped.event.event_id

    def _admit(self) -> None:
        """Raise NotNowError while the queue may drop events, or is full, or presets may be missed, or must be known."""
        vitals = self._watch.vitals
        if vitals.may_evict:
            raise NotNowError("the queue may evict events: its maxmemory-policy must be noeviction")
        if not self.presets.looked.is_set():
            raise NotNowError("the presets are being looked for")
        if self._settings.require_presets and not self.presets.loaded:
            raise NotNowError("the presets have not been read yet")
        if vitals.depth >= self._settings.queue_bound:
            raise NotNowError("the queue is full")

    async def enqueue(self, stamped: event.Stamped) -> None:
        """Return once the queue has it."""
        one = stamped.event
        assert one.event_id is not None
        if not self.pipeline.lanes:
            raise NotNowError("the queue has not been reached yet")
        lane = queue.lane_of(one.organization_id, one.event_id, self.pipeline.lanes)
        await self.pipeline.add(lane, one.event_id, _encode(one), stamped.hash)

    async def add_many(self, bodies: list[bytes]) -> list[str | Exception]:
        """Accept each by itself; what is wrong with one is no matter for the others."""
        return await asyncio.gather(*map(self._add_or_why_not, bodies))

    async def _add_or_why_not(self, body: bytes) -> str | Exception:
        try:
            return await self.add(body)
        except (RefusedError, NotNowError, UnknownError) as e:
            return e
