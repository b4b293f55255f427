"""Make the stream, serve the intake, work, or print the number of pending events."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import nats
from starlette.applications import Starlette

from alternatives.common import intake
from alternatives.common.migrate import migrate

variant, part = sys.argv[1:]
queue = import_module(f"alternatives.nats_jetstream.{variant}")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connection."""
    async with queue.connected():
        yield


async def schema() -> None:
    """Make the stream and its consumer."""
    async with queue.connected() as stream:
        await queue.create(stream)


async def pending() -> None:
    """Print how many events no worker has acknowledged."""
    connection = await nats.connect(os.environ["NATS_URL"], connect_timeout=2)
    found = await connection.jetstream().consumer_info(queue.STREAM, queue.CONSUMER)
    print((found.num_pending or 0) + (found.num_ack_pending or 0))
    await connection.close()


if part == "schema":
    migrate()
    asyncio.run(schema())
elif part == "pending":
    asyncio.run(pending())
elif part == "worker":
    asyncio.run(queue.work())
else:
    intake.serve(queue.enqueue, lifespan)
