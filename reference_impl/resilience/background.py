"""Parts: what runs in the background of a process. One that ends by a defect takes the process with it.

Half a process would look alive: its /health would tell the last look for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from reference_impl import log
from reference_impl.errors import ShuttingDown
from reference_impl.resilience.backoff import Sleep

Parts = list[asyncio.Task[None]]


def sleeper(stopping: asyncio.Event) -> Sleep:
    """A sleep that ends with ShuttingDown once `stopping` is set."""

    async def sleep(seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), seconds)
            raise ShuttingDown("told to stop")

    return sleep


def start(stopping: asyncio.Event, *runs: Callable[[], Awaitable[None]]) -> Parts:
    """Run each until ShuttingDown; a defect is logged, and sets `stopping`."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            log.unexpected("a part ended by a defect", error, part=task.get_name())
            stopping.set()

    parts = [asyncio.create_task(_until_stopped(run), name=run.__qualname__) for run in runs]
    for part in parts:
        part.add_done_callback(ended)
    return parts


async def end(parts: Parts) -> None:
    """Wait until all have ended."""
    await asyncio.gather(*parts, return_exceptions=True)


def blame(parts: Parts) -> None:
    """Raise what the first of them ended by, if one did."""
    for part in parts:
        if not part.cancelled() and (error := part.exception()):
            raise error


async def _until_stopped(run: Callable[[], Awaitable[None]]) -> None:
    with suppress(ShuttingDown):
        await run()
