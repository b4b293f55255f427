"""The intake: accepts an event only when it is valid and the queue has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from reference_impl.errors import RefusedError, TemporarilyUnavailable
from reference_impl.event import event
from reference_impl.ingest.preset_cache import Presets
from reference_impl.operations import metrics
from reference_impl.operations.health import HealthMonitor
from reference_impl.queue import streams
from reference_impl.queue.pipeline import Pipeline
from reference_impl.resilience.background import Sleep
from reference_impl.settings import Settings

#: Longest event, and most commas in it, that is validated on the event loop. The slowest, all exponents, takes 2 ms.
SMALL_BYTES, FEW_COMMAS = 8192, 300
#: Lines of a batch whose replies are awaited together, and how long validating them may hold the event loop.
AT_ONCE, HOLD_S = 100, 0.002

_encode = msgspec.json.Encoder().encode


class Intake:
    """Validates events and adds them to the queue."""

    def __init__(self, settings: Settings, monitor: HealthMonitor, sleep: Sleep) -> None:
        self._settings, self.monitor = settings, monitor
        self.pipeline = Pipeline(
            settings.redis_url, settings.enqueue_timeout_s, settings.max_in_flight, settings.concurrency, sleep
        )
        self.presets = Presets(settings, sleep)
        self._thread = ThreadPoolExecutor(1, "validate")
        self._yielded_at = 0.0
        self._validating = asyncio.Lock()  # for one batch at a time: several would hold the loop in the same turn

    async def run(self) -> None:
        """Keep the queue connected and the presets current, until the sleep raises ShuttingDown."""
        await asyncio.gather(self.pipeline.run(), self.presets.run())

    async def ready(self, within_s: float) -> None:
        """Return when the queue is connected and the presets were looked for, or when the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.pipeline.connected.wait()
                await self.presets.looked.wait()

    async def add(self, body: bytes) -> str:
        """Accept one event in its wire form, and return its id.

        Raises RefusedError, TemporarilyUnavailable or Indeterminate.
        """
        return await self._add(await self._validate(body))

    async def add_many(self, bodies: list[bytes]) -> list[str | BaseException]:
        """Accept each event, in order: its id, or the exception that `add` would raise."""
        results: list[str | BaseException] = []
        for at in range(0, len(bodies), AT_ONCE):
            async with self._validating:
                adding = [await self._begin(body) for body in bodies[at : at + AT_ONCE]]
            results += await asyncio.gather(*adding, return_exceptions=True)
        return results

    async def _begin(self, body: bytes) -> Awaitable[str]:
        """Validate one line and add it at once: lines that are added together would hold the event loop."""
        await self.yield_loop()
        try:
            return asyncio.create_task(self._add(await self._validate(body)))
        except RefusedError as e:
            e.__traceback__ = e.__context__ = None  # with the frames of 10,000 a garbage collection takes 90 ms
            refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            refused.set_exception(e)
            return refused

    async def yield_loop(self) -> None:
        """Let other tasks run between two lines of a batch, once batches have held the event loop for long."""
        if time.perf_counter() - self._yielded_at > HOLD_S:
            await asyncio.sleep(0)
            self._yielded_at = time.perf_counter()

    async def _validate(self, body: bytes) -> event.Stamped:
        """Validate a small event on the event loop, a large one in a thread. Raises RefusedError."""
        if len(body) > self._settings.max_event_bytes:
            raise RefusedError("event", f"expected at most {self._settings.max_event_bytes} bytes", 413)
        given = body, datetime.now(UTC), self._settings.max_depth, self.presets.of
        if len(body) <= SMALL_BYTES and body.count(b",") <= FEW_COMMAS:
            return event.accept(*given)
        return await asyncio.get_running_loop().run_in_executor(self._thread, event.accept, *given)

    async def _add(self, stamped: event.Stamped) -> str:
        self.require_ready()
        began = time.perf_counter()
        await self.enqueue(stamped)
        metrics.INTAKE_S.observe(time.perf_counter() - began)
        metrics.ACCEPTED.inc()
        return stamped.event_id

    def require_ready(self) -> None:
        """Raise TemporarilyUnavailable while the queue may evict events or is full, or presets are not known."""
        snapshot = self.monitor.snapshot
        if snapshot.may_evict:
            raise TemporarilyUnavailable("the queue may evict events: its maxmemory-policy must be noeviction")
        if not self.presets.looked.is_set():
            raise TemporarilyUnavailable("the presets are being looked for")
        if self._settings.require_presets and not self.presets.loaded:
            raise TemporarilyUnavailable("the presets have not been read yet")
        if snapshot.depth >= self._settings.queue_bound:
            raise TemporarilyUnavailable("the queue is full")

    async def enqueue(self, stamped: event.Stamped) -> None:
        """Return once the queue has the event. Raises TemporarilyUnavailable or Indeterminate."""
        if not self.pipeline.lanes:
            raise TemporarilyUnavailable("the queue has not been reached yet")
        lane = streams.lane_of(stamped.event.organization_id, stamped.event_id, self.pipeline.lanes)
        await self.pipeline.add(lane, stamped.event_id, _encode(stamped.event), stamped.hash)
