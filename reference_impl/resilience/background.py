"""Background tasks of a process: they run until shutdown, and a failure of one shuts the whole process down.

Otherwise half a process would look alive: /health would repeat its last measurement for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from reference_impl import log
from reference_impl.errors import ShuttingDown
from reference_impl.resilience.backoff import Sleep


def sleeper(stopping: asyncio.Event) -> Sleep:
    """A sleep that raises ShuttingDown once `stopping` is set."""

    async def sleep(seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stopping.wait()
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
