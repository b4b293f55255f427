"""Retries: how long to wait before a collision in the store is tried again, and how often; tenacity does the work."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_exponential, wait_fixed, wait_incrementing

from reference_impl.errors import Failure, StoreError
from reference_impl.settings import Settings

Sleep = Callable[[float], Awaitable[None]]


class Jittered(wait_base):
    """The wait of another strategy, more or less a share of itself, never above the cap."""

    def __init__(self, wait: wait_base, share: float, cap_s: float) -> None:
        self._wait, self._share, self._cap_s = wait, share, cap_s

    def __call__(self, retry_state: RetryCallState) -> float:
        return min(self._cap_s, self._wait(retry_state) * (1 + random.uniform(-self._share, self._share)))


def strategy(settings: Settings) -> wait_base:
    """The waits of the settings: the base, then twice as long (exponential) or a base longer (linear) each time."""
    base, cap = settings.retry_base_s, settings.retry_cap_s
    waits: dict[str, wait_base] = {
        "exponential": wait_exponential(multiplier=base, max=cap),
        "linear": wait_incrementing(start=base, increment=base, max=cap),
        "fixed": wait_fixed(base),
    }
    return Jittered(waits[settings.retry_strategy], settings.retry_jitter, cap)


def retrying(settings: Settings, sleep: Sleep) -> AsyncRetrying:
    """Retry collisions, at most max_retries times; the last error is raised as it is."""
    retry, stop = retry_if_exception(is_retryable), stop_after_attempt(settings.max_retries + 1)
    return AsyncRetrying(wait=strategy(settings), stop=stop, retry=retry, sleep=sleep, reraise=True)


def is_retryable(error: BaseException) -> bool:
    """Only collisions: the breaker decides on an unavailable store, and another worker holds a lost lane by now."""
    return isinstance(error, StoreError) and error.failure is Failure.RETRY
