"""The intake: accepts an event only when it is valid and the queue has it.

The presets in force are read from the store at intervals, and cached in the queue's server for its outages.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from reference_impl import log
from reference_impl.errors import RefusedError, StoreError, TemporarilyUnavailable
from reference_impl.event import event
from reference_impl.operations import metrics
from reference_impl.operations.health import HealthMonitor
from reference_impl.queue import streams
from reference_impl.queue.pipeline import Pipeline
from reference_impl.resilience.background import Sleep
from reference_impl.resilience.circuit_breaker import CLOSED
from reference_impl.settings import Settings
from reference_impl.store.connections import ConnectionGate, fetch_value, load

#: Longest event, and most commas in it, that is validated on the event loop. The slowest, all exponents, takes 2 ms.
SMALL_BYTES, FEW_COMMAS = 8192, 300
#: Lines of a batch that are validated in one call of the thread, and whose replies are awaited together.
AT_ONCE = 100

#: Pause while the cache does not answer, in seconds.
CACHE_RETRY_S = 0.2

_PRESETS = load(__file__)["presets"]
_decode_presets = msgspec.json.Decoder(list[event.Preset]).decode


class Presets:
    """Finds the preset of an event, the most specific first: by organization and action, by one of them, or for all."""

    def __init__(self, settings: Settings, redis: Redis, sleep: Sleep) -> None:
        self._settings, self._redis, self._sleep = settings, redis, sleep
        self._found: dict[tuple[str | None, str | None], event.Preset] = {}
        self.loaded = False
        self.looked = asyncio.Event()  # set once they are loaded, or the first attempt has ended

    def of(self, organization_id: str | None, action: str) -> event.Preset | None:
        """The most specific preset of such an event."""
        keys = ((organization_id, action), (organization_id, None), (None, action), (None, None))
        return next((self._found[key] for key in keys if key in self._found), None)

    async def run(self) -> None:
        """Refresh at intervals, until the sleep raises ShuttingDown."""
        while True:
            with suppress(*streams.UNAVAILABLE):  # no event is accepted meanwhile
                await self._refresh()
                self.looked.set()
            await self._sleep(self._settings.preset_refresh_s if self.looked.is_set() else CACHE_RETRY_S)

    async def _refresh(self) -> None:
        """Read the cache until they are loaded, then the store. Invalid presets change nothing.

        So an intake that starts during an outage of the store has them before it notices the outage. Raises
        streams.UNAVAILABLE.
        """
        if not self.loaded or not self._settings.database_url:
            with suppress(ResponseError):  # the key is not a string, and so not ours
                self._put_in_force(cast(Any, await self._redis.get(streams.PRESETS)))
        if self._settings.database_url and self._put_in_force(packed := await self._read_store()):
            try:
                await self._redis.set(streams.PRESETS, packed or b"")
            except streams.UNAVAILABLE as e:
                log.warning("presets cannot be cached", type=type(e).__name__)

    def _put_in_force(self, packed: bytes | None) -> bool:
        """Use these presets, as JSON, unless there are none or one is invalid."""
        if packed is None:
            return False
        try:
            self._found = {(one.organization_id, one.action): one for one in _decode_presets(packed)}
        except (msgspec.MsgspecError, RecursionError) as e:
            log.warning("a preset cannot be used; the earlier ones stay in force", why=str(e))
            return False
        self.loaded = True
        self.looked.set()
        return True

    async def _read_store(self) -> bytes | None:
        """The presets of the store, as JSON; None while it is unavailable."""
        try:
            gate = ConnectionGate(self._settings, lambda: CLOSED)  # an intake has no breaker
            async with gate.connection(self._settings.attempt_timeout_s) as connection:
                return str(await fetch_value(connection, _PRESETS)).encode()
        except StoreError as e:
            log.warning("presets cannot be read from the store", why=str(e))
            return None


class Intake:
    """Validates events and adds them to the queue, while its `tasks` and its `monitor` run."""

    def __init__(self, settings: Settings, sleep: Sleep, monitor: HealthMonitor | None = None) -> None:
        self._settings = settings
        self.pipeline = Pipeline(settings, sleep)
        self.monitor = monitor or HealthMonitor(settings, self.pipeline.redis, sleep)
        self.presets = Presets(settings, self.pipeline.redis, sleep)
        self.tasks = self.pipeline.run, self.presets.run  # until the sleep raises ShuttingDown
        self._thread = ThreadPoolExecutor(1, "validate")

    async def ready(self, within_s: float) -> None:
        """Return when the queue is connected and the presets were looked for, or when the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(self.pipeline.connected.wait(), self.presets.looked.wait())

    async def add(self, body: bytes) -> str:
        """Accept one event in its wire form, and return its id.

        Raises RefusedError, TemporarilyUnavailable or Indeterminate.
        """
        if len(body) <= SMALL_BYTES and body.count(b",") <= FEW_COMMAS:
            return await self._add(self._validate(body))
        return await self._add(await asyncio.get_running_loop().run_in_executor(self._thread, self._validate, body))

    async def add_many(self, bodies: list[bytes]) -> AsyncIterator[list[str | BaseException]]:
        """Accept each event, in order: its id, or the exception that `add` would raise, by hundreds."""
        for at in range(0, len(bodies), AT_ONCE):
            validated = map(self._validated, bodies[at : at + AT_ONCE])
            results = await asyncio.get_running_loop().run_in_executor(self._thread, list, validated)
            adding = [self._add(one) for one in results if isinstance(one, event.Stamped)]
            added = iter(await asyncio.gather(*adding, return_exceptions=True))
            yield [one if isinstance(one, RefusedError) else next(added) for one in results]

    def _validate(self, body: bytes) -> event.Stamped:
        """Validate an event, on the event loop or, if it takes long, in the thread. Raises RefusedError."""
        if len(body) > self._settings.max_event_bytes:
            raise RefusedError("event", f"expected at most {self._settings.max_event_bytes} bytes", 413)
        return event.accept(body, datetime.now(UTC), self._settings.max_depth, self.presets.of)

    def _validated(self, body: bytes) -> event.Stamped | RefusedError:
        try:
            return self._validate(body)
        except RefusedError as e:  # without its traceback, which leads to the thread's list of results: a collection
            return RefusedError(e.field, e.why, e.status)  # of thousands of such cycles holds the loop for 50 ms

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
        await self.pipeline.add(lane, stamped.event_id, stamped.encoded, stamped.hash)
