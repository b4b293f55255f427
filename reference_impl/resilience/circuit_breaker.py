"""The circuit breaker of one worker, and the attempts that it permits: everything that is tried on the store.

pybreaker holds the state and the count of failures, and `Breaker` issues permits.

pybreaker alone would apply results of calls that began before a trip, count a cancellation as a failure, and admit
only one call at a time. Here a permit carries the generation that issued it; each transition begins a new generation,
and results of older ones are dropped. All of it runs on one event loop, and nothing waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from enum import StrEnum
from typing import Any, NewType

import psycopg
import pybreaker

from reference_impl import log
from reference_impl.errors import BreakerOpenError, Failure, StoreError
from reference_impl.operations import metrics
from reference_impl.resilience import error_classes
from reference_impl.resilience.backoff import Sleep
from reference_impl.resilience.states import CLOSED, HALF_OPEN, OPEN
from reference_impl.settings import Settings

#: Called with (from, to, reason) before the transition takes effect.
Listener = Callable[[str | None, str, str], None]


#: Permission for one attempt, by the generation that issued it.
Permit = NewType("Permit", int)


class Kind(StrEnum):
    """The kinds of attempt; the success of each proves something else."""

    ACQUIRE = "acquire"  # connect and lock a lane: proves nothing
    HEARTBEAT = "heartbeat"  # commit a small write
    BATCH = "batch"  # commit events


#: Failures that say nothing about the store's health.
IGNORED_FAILURES = frozenset({Failure.LANE_LOST})


class _AttemptError(Exception):
    """Reports a failed attempt to pybreaker."""


class Breaker(pybreaker.CircuitBreakerListener):
    """Opens after consecutive failures, or when too large a share of the attempts in a window failed."""

    def __init__(self, settings: Settings, listener: Listener, now: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._now = settings, now
        self.listeners = [listener]
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=settings.breaker_failure_threshold, throw_new_error_on_trip=False, listeners=[self]
        )
        self._generation = 0
        self._trial = False  # one has a permit
        self._window: deque[tuple[float, bool]] = deque()  # (time, success) of each attempt
        self._reason = "start"
        self._notify(None, CLOSED)

    @property
    def state(self) -> str:
        """CLOSED, OPEN or HALF_OPEN."""
        return _name(self._breaker.current_state)

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
        with suppress(_AttemptError):
            self._breaker.call(_fail)
        attempts, failures = self.window()
        enough = attempts >= self._settings.breaker_minimum_rounds
        if self.state == CLOSED and enough and failures > self._settings.breaker_failure_rate * attempts:
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
        while self._window and self._window[0][0] < self._now() - self._settings.breaker_monitoring_s:
            self._window.popleft()
        return len(self._window), sum(not success for _, success in self._window)

    def _record(self, permit: Permit, success: bool) -> bool:
        """Add the result to the window, unless the permit is of an older generation."""
        current = permit == self._generation
        if current:
            self._window.append((self._now(), success))
        return current

    def _notify(self, before: str | None, after: str) -> None:
        """A listener that fails is logged and prevents nothing."""
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


def _fail() -> None:
    raise _AttemptError


class Attempts:
    """The attempts of one worker.

    After a failure one lane tries at a time until one succeeds, so that each failure of an outage counts once.
    """

    def __init__(self, breaker: Breaker, settings: Settings, sleep: Sleep) -> None:
        self.breaker, self.sleep = breaker, sleep
        self._settings = settings
        self._turn = asyncio.Lock()
        self._failed_kind: Kind | None = None  # of the last failure, until an attempt succeeds

    @property
    def degraded(self) -> bool:
        """Whether the last attempt failed."""
        return self._failed_kind is not None

    @asynccontextmanager
    async def attempt(self, kind: Kind) -> AsyncIterator[None]:
        """One attempt. Raises BreakerOpenError without a permit, StoreError when the store fails.

        A StoreError that the body raises itself is a refusal of the events by a store that works.
        """
        async with self._turn if self.degraded else nullcontext():
            permit = self.breaker.acquire_permit()
            try:
                yield
            except psycopg.Error as e:
                error = error_classes.to_store_error(e, self._settings)
                await self._failed(kind, permit, error)
                raise error from None
            except StoreError:
                self._succeeded(kind, permit)
                raise
            except BaseException:
                self.breaker.release(permit)
                raise
            self._succeeded(kind, permit)

    async def _failed(self, kind: Kind, permit: Permit, error: StoreError) -> None:
        log.warning("attempt failed", kind=kind, failure=error.failure, sqlstate=error.sqlstate, type=error.kind)
        metrics.FAILED.labels(error.failure.value).inc()
        if error.failure in IGNORED_FAILURES:
            self.breaker.release(permit)
            return
        was_degraded, self._failed_kind = self.degraded, kind
        self.breaker.failed(permit, error.sqlstate or error.kind)
        if was_degraded and self.breaker.state == CLOSED:
            await self.sleep(self._settings.retry_base_s)  # holding the turn: it paces all attempts of an outage

    def _succeeded(self, kind: Kind, permit: Permit) -> None:
        """After a batch has failed, a heartbeat does not prove that batches commit."""
        if kind is Kind.BATCH or (kind is Kind.HEARTBEAT and self._failed_kind is not Kind.BATCH):
            self._failed_kind = None
            self.breaker.succeeded(permit)
        else:
            self.breaker.release(permit)
