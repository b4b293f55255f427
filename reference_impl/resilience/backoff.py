"""Retry: how long to wait before a collision with the store is tried again, and how often. tenacity does the work."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_exponential, wait_fixed, wait_incrementing

from reference_impl.errors import Failure, StoreError
from reference_impl.settings import Settings

Sleep = Callable[[float], Awaitable[None]]


class Jittered(wait_base):
    """Another strategy's wait, more or less a share of itself, never above the cap."""

    def __init__(self, wait: wait_base, share: float, cap_s: float) -> None:
        self._wait, self._share, self._cap_s = wait, share, cap_s

    def __call__(self, retry_state: RetryCallState) -> float:
        return min(self._cap_s, self._wait(retry_state) * (1 + random.uniform(-self._share, self._share)))


def strategy(settings: Settings) -> wait_base:
    """The waits of the settings: the base, then twice as long (exponential) or a base longer (linear) each time."""
    base, cap = settings.retry_base_s, settings.retry_cap_s
    plain: wait_base = {
        "exponential": wait_exponential(multiplier=base, max=cap),
        "linear": wait_incrementing(start=base, increment=base, max=cap),
        "fixed": wait_fixed(base),
    }[settings.retry_strategy]
    return Jittered(plain, settings.retry_jitter, cap)


def retrying(settings: Settings, sleep: Sleep) -> AsyncRetrying:
    """Try again what collided, at most max_retries times; what comes after the last is raised as it is."""
    return AsyncRetrying(
        wait=strategy(settings),
        stop=stop_after_attempt(settings.max_retries + 1),
        retry=retry_if_exception(is_retryable),
        sleep=sleep,
        reraise=True,
    )


def is_retryable(error: BaseException) -> bool:
    """Only collisions: with the store away the breaker decides, and a lost lane is another's by now."""
    return isinstance(error, StoreError) and error.failure is Failure.RETRY
