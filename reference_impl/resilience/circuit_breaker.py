"""The breaker of one worker: pybreaker holds state, counter and listeners; this wrapper decides who is admitted.

pybreaker alone would let results of calls begun before a trip act on the state after it, count a cancellation as a
failure, and admit only one call at a time. Here a permit carries the generation it was admitted in; each transition
begins a new generation, and results of older ones are dropped. All of it runs on one event loop, and nothing waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pybreaker

from reference_impl import log
from reference_impl.errors import BreakerOpenError
from reference_impl.settings import Settings

CLOSED, OPEN, HALF_OPEN = "CLOSED", "OPEN", "HALF_OPEN"
#: Worst last.
STATES = (CLOSED, HALF_OPEN, OPEN)

#: Called with (from, to, reason) before the transition takes effect.
Listener = Callable[[str | None, str, str], None]


class Permit(msgspec.Struct, frozen=True):
    """Admission of one round."""

    generation: int


class _RoundError(Exception):
    """How a failed round is told to pybreaker."""


class Breaker(pybreaker.CircuitBreakerListener):
    """Opens after consecutive failed rounds, or when too large a share of a window's rounds failed."""

    def __init__(self, settings: Settings, listener: Listener, now: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._now = settings, now
        self.listeners = [listener]
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=settings.breaker_failure_threshold, throw_new_error_on_trip=False, listeners=[self]
        )
        self._generation = 0
        self._trial: Permit | None = None
        self._rounds: deque[tuple[float, bool]] = deque()
        self._reason = "start"
        self.changed = asyncio.Event()  # set by each transition
        self._tell(None, CLOSED)

    @property
    def state(self) -> str:
        """CLOSED, OPEN or HALF_OPEN."""
        return _name(self._breaker.current_state)

    def acquire_permit(self) -> Permit:
        """Let one round begin: any while CLOSED, a single trial while HALF_OPEN. Raises BreakerOpenError."""
        if self.state == CLOSED:
            return Permit(self._generation)
        if self.state == HALF_OPEN and self._trial is None:
            self._trial = Permit(self._generation)
            return self._trial
        raise BreakerOpenError(f"the breaker is {self.state}")

    def succeeded(self, permit: Permit) -> None:
        """A round of that permit committed."""
        if self._is_current(permit):
            self._count(ok=True)
            self._reason = "the trial committed"
            self._breaker.call(lambda: None)

    def failed(self, permit: Permit, why: str) -> None:
        """A round of that permit failed, and the store was to blame."""
        if self._is_current(permit):
            self._count(ok=False)
            self._reason = (
                f"the trial failed: {why}" if self.state == HALF_OPEN else f"consecutive failed rounds: {why}"
            )
            with suppress(_RoundError):
                self._breaker.call(_fail)
            self._judge_window(why)

    def release(self, permit: Permit) -> None:
        """A round of that permit ended without saying anything about the store; a trial may be tried again."""
        if permit is self._trial:
            self._trial = None

    def half_open(self) -> None:
        """The recovery time is over: let one trial through."""
        if self.state == OPEN:
            self.transition(HALF_OPEN, "the recovery time is over")

    def transition(self, state: str, reason: str) -> None:
        """Change to this state at once."""
        self._reason = reason
        {CLOSED: self._breaker.close, HALF_OPEN: self._breaker.half_open, OPEN: self._breaker.open}[state]()

    def rounds(self) -> tuple[int, int]:
        """How many rounds the window holds, and how many of them failed."""
        while self._rounds and self._rounds[0][0] < self._now() - self._settings.breaker_monitoring_s:
            self._rounds.popleft()
        return len(self._rounds), sum(not ok for _, ok in self._rounds)

    def _is_current(self, permit: Permit) -> bool:
        return permit.generation == self._generation

    def _count(self, ok: bool) -> None:
        self._rounds.append((self._now(), ok))

    def _judge_window(self, why: str) -> None:
        rounds, failed = self.rounds()
        enough = rounds >= self._settings.breaker_minimum_rounds
        if self.state == CLOSED and enough and failed > self._settings.breaker_failure_rate * rounds:
            self.transition(OPEN, f"{failed} of {rounds} rounds failed: {why}")

    def _tell(self, before: str | None, after: str) -> None:
        """A listener that fails is told of, and keeps nothing from happening."""
        for listener in self.listeners:
            try:
                listener(before, after, self._reason)
            except Exception as e:
                log.unexpected("a listener of the breaker failed", e)

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:  # noqa: ARG002
        """pybreaker calls this before the new state is in force."""
        self._tell(_name(old_state.name), _name(new_state.name))
        self._generation += 1
        self._trial = None
        if new_state.name == pybreaker.STATE_CLOSED:
            self._rounds.clear()  # the outage is over: its failures must not open it again
        self.changed.set()


def _name(state: str) -> str:
    return state.upper().replace("-", "_")


def _fail() -> None:
    raise _RoundError
