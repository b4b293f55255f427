"""Background tasks of a process, and their waits.

Tasks run until shutdown, and a failure of one shuts the whole process down: otherwise half a process would look alive,
and /health would repeat its last measurement for ever.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_base, wait_exponential, wait_fixed, wait_incrementing

from reference_impl import log
from reference_impl.errors import Failure, ShuttingDown, StoreError
from reference_impl.settings import Settings

Sleep = Callable[[float], Awaitable[None]]


def sleeper(stopping: asyncio.Event) -> Sleep:
    """A sleep that raises ShuttingDown once `stopping` is set."""

    async def sleep(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), seconds)
            raise ShuttingDown("shutting down")

    return sleep


async def run_until_shutdown(stopping: asyncio.Event, *functions: Callable[[], Awaitable[None]]) -> None:
    """Run all of them until they raise ShuttingDown.

    Any other exception is logged and sets `stopping`, so that the others finish in order; it is raised at the end.
    """
    failures: list[Exception] = []

    async def run(function: Callable[[], Awaitable[None]]) -> None:
        try:
            await function()
        except ShuttingDown:
            pass
        except Exception as e:
            log.unexpected("a background task failed", e, task=function.__qualname__)
            failures.append(e)
            stopping.set()

    async with asyncio.TaskGroup() as group:
        for function in functions:
            group.create_task(run(function))
    if failures:
        raise failures[0]


def retrying(settings: Settings, sleep: Sleep) -> AsyncRetrying:
    """Retry collisions, at most max_retries times; the last error is raised as it is.

    Nothing else: the breaker decides on an unavailable store, and another worker holds a lost lane by now.
    """
    retry = retry_if_exception(lambda e: isinstance(e, StoreError) and e.failure is Failure.RETRY)
    stop = stop_after_attempt(settings.max_retries + 1)
    return AsyncRetrying(wait=jittered(settings), stop=stop, retry=retry, sleep=sleep, reraise=True)


def jittered(settings: Settings) -> Callable[[RetryCallState], float]:
    """The base, then twice as long (exponential) or a base longer (linear) each time; never above the cap.

    More or less a share of it, so that two sides of a collision do not collide again.
    """
    base, cap, jitter = settings.retry_base_s, settings.retry_cap_s, settings.retry_jitter
    waits: dict[str, wait_base] = {
        "exponential": wait_exponential(multiplier=base, max=cap),
        "linear": wait_incrementing(start=base, increment=base, max=cap),
        "fixed": wait_fixed(base),
    }
    wait = waits[settings.retry_strategy]
    return lambda state: min(cap, wait(state) * (1 + random.uniform(-jitter, jitter)))
