"""The circuit breaker of one worker, and the attempts that it permits: everything that is tried on the store.

pybreaker holds the state and the count of failures, and `Breaker` issues permits. Each transition is one JSON line, on
disk before it takes effect.

pybreaker alone would apply results of calls that began before a trip, count a cancellation as a failure, and admit
only one call at a time. Here a permit carries the generation that issued it; each transition begins a new generation,
and results of older ones are dropped. All of it runs on one event loop, and nothing waits.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, NewType

import msgspec
import psycopg
import pybreaker

from reference_impl import log
from reference_impl.errors import BreakerOpenError, Failure, StoreError
from reference_impl.operations import metrics
from reference_impl.resilience import error_classes
from reference_impl.resilience.background import Sleep
from reference_impl.settings import Settings

CLOSED, HALF_OPEN, OPEN = "CLOSED", "HALF_OPEN", "OPEN"
#: Worst last.
STATES = (CLOSED, HALF_OPEN, OPEN)

FILE = "transitions.jsonl"
#: The number of transitions served at /breaker/transitions.
REMEMBERED = 1000

#: Called with (from, to, reason) before the transition takes effect.
Listener = Callable[[str | None, str, str], None]

Clock = Callable[[], float]
#: Permission for one attempt, by the generation that issued it.
Permit = NewType("Permit", int)

for _change in ((CLOSED, OPEN), (OPEN, HALF_OPEN), (HALF_OPEN, CLOSED), (HALF_OPEN, OPEN)):
    metrics.TRANSITIONS.labels(*_change)  # so that the first increase of each is visible


class Kind(StrEnum):
    """The kinds of attempt; the success of each proves something else."""

    ACQUIRE = "acquire"  # connect and lock a lane: proves nothing
    HEARTBEAT = "heartbeat"  # commit a small write
    BATCH = "batch"  # commit events


class Breaker(pybreaker.CircuitBreakerListener):
    """Opens after consecutive failures, or when too large a share of the attempts in a window failed.

    After a failure one lane tries at a time until one succeeds, so that each failure of an outage counts once.
    """

    def __init__(
        self, settings: Settings, listener: Listener, sleep: Sleep = asyncio.sleep, now: Clock = time.monotonic
    ) -> None:
        self.settings, self.listeners, self.sleep, self._now = settings, [listener], sleep, now
        threshold = settings.breaker_failure_threshold
        self._breaker = pybreaker.CircuitBreaker(threshold, throw_new_error_on_trip=False, listeners=[self])
        self._generation = 0
        self._trial = False  # one has a permit
        self._window: deque[tuple[float, bool]] = deque()  # (time, success) of each attempt
        self._reason = "start"
        self._turn = asyncio.Lock()
        self._failed_kind: Kind | None = None  # of the last failure, until an attempt succeeds
        self._notify(None, CLOSED)

    @property
    def state(self) -> str:
        """CLOSED, OPEN or HALF_OPEN."""
        return _name(self._breaker.current_state)

    @asynccontextmanager
    async def attempt(self, kind: Kind) -> AsyncIterator[None]:
        """One attempt. Raises BreakerOpenError without a permit, StoreError when the store fails.

        A StoreError that the body raises itself is a refusal of the events by a store that works.
        """
        async with self._turn if self._failed_kind else nullcontext():
            permit = self.acquire_permit()
            try:
                yield
                self._on_success(kind, permit)
            except psycopg.Error as e:
                error = error_classes.to_store_error(e, self.settings)
                await self._on_failure(kind, permit, error)
                raise error from None
            except StoreError:
                self._on_success(kind, permit)
                raise
            finally:
                self.release(permit)

    async def _on_failure(self, kind: Kind, permit: Permit, error: StoreError) -> None:
        log.warning("attempt failed", kind=kind, failure=error.failure, sqlstate=error.sqlstate, type=error.kind)
        metrics.FAILED.labels(error.failure.value).inc()
        if error.failure is Failure.LANE_LOST:
            return  # it says nothing about the store
        again, self._failed_kind = self._failed_kind is not None, kind
        self.failed(permit, error.sqlstate or error.kind)
        if again and self.state == CLOSED:
            await self.sleep(self.settings.retry_base_s)  # holding the turn: it paces all attempts of an outage

    def _on_success(self, kind: Kind, permit: Permit) -> None:
        """After a batch has failed, a heartbeat does not prove that batches commit."""
        if kind is Kind.BATCH or (kind is Kind.HEARTBEAT and self._failed_kind is not Kind.BATCH):
            self._failed_kind = None
            self.succeeded(permit)

    def acquire_permit(self) -> Permit:
        """Permit one attempt: any while CLOSED, a single trial while HALF_OPEN. Raises BreakerOpenError."""
        if self.state == OPEN or self._trial:
            raise BreakerOpenError(f"the breaker is {self.state}")
        self._trial = self.state == HALF_OPEN
        return Permit(self._generation)

    def succeeded(self, permit: Permit) -> None:
        """The attempt committed."""
        if self._record(permit, success=True):
            self._reason = "the trial committed"
            self._breaker.call(lambda: None)

    def failed(self, permit: Permit, why: str) -> None:
        """The attempt failed because of the store."""
        if not self._record(permit, success=False):
            return
        self._reason = f"{'the trial failed' if self._trial else 'consecutive failed attempts'}: {why}"
        with suppress(TimeoutError), self._breaker.calling():
            raise TimeoutError  # any failure
        attempts, failures = self.window()
        enough = attempts >= self.settings.breaker_minimum_rounds
        if self.state == CLOSED and enough and failures > self.settings.breaker_failure_rate * attempts:
            self.transition(OPEN, f"{failures} of {attempts} attempts failed: {why}")

    def release(self, permit: Permit) -> None:
        """The attempt ended without a result about the store; a trial may be repeated."""
        if permit == self._generation:
            self._trial = False

    def half_open(self) -> None:
        """Allow one trial: the recovery time is over."""
        if self.state == OPEN:
            self.transition(HALF_OPEN, "the recovery time is over")

    def transition(self, state: str, reason: str) -> None:
        """Change to this state at once."""
        self._reason = reason
        {CLOSED: self._breaker.close, HALF_OPEN: self._breaker.half_open, OPEN: self._breaker.open}[state]()

    def window(self) -> tuple[int, int]:
        """The number of attempts in the window, and of failures among them."""
        while self._window and self._window[0][0] < self._now() - self.settings.breaker_monitoring_s:
            self._window.popleft()
        return len(self._window), sum(not success for _, success in self._window)

    def _record(self, permit: Permit, success: bool) -> bool:
        """Add the result to the window, unless the permit is of an older generation."""
        if permit == self._generation:
            self._window.append((self._now(), success))
        return permit == self._generation

    def _notify(self, before: str | None, after: str) -> None:
        """A listener that fails is logged and prevents nothing."""
        metrics.BREAKER.set(STATES.index(after))
        if before:
            metrics.TRANSITIONS.labels(before, after).inc()
            metrics.TRIPS.inc(after == OPEN)
        for listener in self.listeners:
            try:
                listener(before, after, self._reason)
            except Exception as e:
                log.unexpected("a listener of the breaker failed", e)

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:  # noqa: ARG002
        """pybreaker calls this before the new state is in force."""
        self._notify(_name(old_state.name), _name(new_state.name))
        self._generation += 1
        self._trial = False
        if new_state.name == pybreaker.STATE_CLOSED:
            self._window.clear()  # the outage is over: its failures must not open the breaker again


def _name(state: str) -> str:
    return state.upper().replace("-", "_")


class Transition(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """One change of state. A gap in `seq` is a transition that could not be written."""

    process: str
    incarnation: str
    seq: int
    from_: str | None
    to: str
    at: datetime
    monotonic_ns: int
    reason: str


class Transitions:
    """The transitions of one process, appended to STATE_DIR/transitions.jsonl."""

    def __init__(self, state_dir: str, process: str, incarnation: str) -> None:
        self._path, self._names, self._count = Path(state_dir) / FILE, (process, incarnation), 0
        self.seen: deque[Transition] = deque(maxlen=REMEMBERED)

    def record(self, before: str | None, after: str, reason: str) -> None:
        """Write one transition. A disk that refuses the write delays nothing and leaves a gap in `seq`."""
        at, monotonic_ns = datetime.now(UTC), time.monotonic_ns()
        transition = Transition(*self._names, self._count, before, after, at, monotonic_ns, reason)
        self._count += 1
        self.seen.append(transition)
        log.info("breaker", **{"from": before, "to": after, "reason": reason})
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:  # in one write: a SIGKILL leaves the whole line or nothing
                file.write(msgspec.json.encode(transition) + b"\n")
        except OSError as e:
            log.warning("a transition could not be written", errno=e.errno)
