"""The intake: takes an event only when it is valid and the queue has it."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from reference_impl.errors import NotAcknowledged, RefusedError, TemporarilyUnavailable
from reference_impl.event import event
from reference_impl.ingest.preset_cache import Presets
from reference_impl.operations import metrics
from reference_impl.operations.monitor import HealthMonitor
from reference_impl.queue import streams
from reference_impl.queue.pipeline import Pipeline
from reference_impl.resilience.backoff import Sleep
from reference_impl.settings import Settings

#: Longest event that is validated on the event loop, and most commas: the dearest of them (nothing but exponents) takes
#: 2 ms.
SMALL_BYTES, FEW_COMMAS = 8192, 300
#: Lines of a batch whose replies are awaited at once, and for how long validating them may hold the event loop.
AT_ONCE, HOLD_S = 100, 0.002

_encode = msgspec.json.Encoder().encode


class Intake:
    """Validates, stamps, enqueues."""

    def __init__(self, settings: Settings, monitor: HealthMonitor, sleep: Sleep) -> None:
        self._settings, self.monitor = settings, monitor
        self.pipeline = Pipeline(
            settings.redis_url, settings.enqueue_timeout_s, settings.max_in_flight, settings.concurrency, sleep
        )
        self.presets = Presets(settings, sleep)
        self._aside = ThreadPoolExecutor(1, "validate")
        self._let_go_at = 0.0
        self._validating = asyncio.Lock()  # of batches one at a time, or each would hold the loop in the same turn

    async def run(self) -> None:
        """Keep the connection to the queue, and the presets, until ShuttingDown is raised by the sleep."""
        await asyncio.gather(self.pipeline.run(), self.presets.run())

    async def ready(self, within_s: float) -> None:
        """Return when the queue was reached and the presets were looked for, or when the time is up: they are away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.pipeline.connected.wait()
                await self.presets.looked.wait()

    async def add(self, body: bytes) -> str:
        """Accept one event in its wire form and return its id.

        Raises RefusedError, TemporarilyUnavailable or Indeterminate.
        """
        return await self._take(await self._stamp(body))

    async def _stamp(self, body: bytes) -> event.Stamped:
        """The event, validated; a large one by a thread, so that the loop answers meanwhile. Raises RefusedError."""
        if len(body) > self._settings.max_event_bytes:
            raise RefusedError("event", f"expected at most {self._settings.max_event_bytes} bytes", 413)
        given = body, datetime.now(UTC), self._settings.max_depth, self.presets.of
        if len(body) <= SMALL_BYTES and body.count(b",") <= FEW_COMMAS:
            return event.accept(*given)
        return await asyncio.get_running_loop().run_in_executor(self._aside, event.accept, *given)

    async def _take(self, stamped: event.Stamped) -> str:
        """Enqueue it, and return its id. Raises TemporarilyUnavailable or Indeterminate."""
        self.require_ready()
        began = time.perf_counter()
        await self.enqueue(stamped)
        metrics.INTAKE_S.observe(time.perf_counter() - began)
        metrics.ACCEPTED.inc()
        assert stamped.event.event_id is not None
        return stamped.event.event_id

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
        """Return once the queue has it."""
        one = stamped.event
        assert one.event_id is not None
        if not self.pipeline.lanes:
            raise TemporarilyUnavailable("the queue has not been reached yet")
        lane = streams.lane_of(one.organization_id, one.event_id, self.pipeline.lanes)
        await self.pipeline.add(lane, one.event_id, _encode(one), stamped.hash)

    async def add_many(self, bodies: list[bytes]) -> list[str | NotAcknowledged]:
        """Accept each by itself, in their order; what is wrong with one is no matter for the others."""
        results: list[str | NotAcknowledged] = []
        for some in range(0, len(bodies), AT_ONCE):
            async with self._validating:
                begun = [await self._begin(body) for body in bodies[some : some + AT_ONCE]]
            await asyncio.gather(*[one for one in begun if isinstance(one, asyncio.Task)])
            results += [one.result() if isinstance(one, asyncio.Task) else one for one in begun]
        return results

    async def _begin(self, body: bytes) -> asyncio.Task[str | NotAcknowledged] | RefusedError:
        """Validate one, and begin the rest of its way at once: those of a whole batch would hold the loop together."""
        await self.let_go()
        try:
            return asyncio.create_task(self._take_or_why_not(await self._stamp(body)))
        except RefusedError as e:
            e.__traceback__ = e.__context__ = None  # with the frames of 10,000 the garbage collector takes 90 ms
            return e

    async def _take_or_why_not(self, stamped: event.Stamped) -> str | NotAcknowledged:
        try:
            return await self._take(stamped)
        except NotAcknowledged as e:
            return e

    async def let_go(self) -> None:
        """Between two lines of a batch: let others have the event loop where batches have held it for long."""
        if time.perf_counter() - self._let_go_at > HOLD_S:
            await asyncio.sleep(0)
            self._let_go_at = time.perf_counter()
