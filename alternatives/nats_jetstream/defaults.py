"""As nats-py's README shows (JetStream): a stream, publish, and a queue group of push consumers.

The client acknowledges a message after its callback; one whose callback raises comes again after 30 s (ack_wait).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from alternatives.common.async_store import AsyncStore
from alternatives.common.statements import DEFAULTS

STREAM, SUBJECT, CONSUMER = "EVENTS", "events", "workers"

stream: JetStreamContext


@asynccontextmanager
async def connected() -> AsyncIterator[JetStreamContext]:
    """The stream, for as long as the connection is open."""
    global stream
    async with await nats.connect(os.environ["NATS_URL"]) as connection:
        stream = connection.jetstream()
        yield stream


async def create(stream: JetStreamContext) -> None:
    """Make the stream, and the consumer that a subscription would make."""
    await stream.add_stream(name=STREAM, subjects=[SUBJECT])
    config = ConsumerConfig(
        durable_name=CONSUMER, deliver_group=CONSUMER, deliver_subject="events.workers", ack_policy=AckPolicy.EXPLICIT
    )
    await stream.add_consumer(STREAM, config)


async def enqueue(event: dict[str, Any]) -> None:
    """Return once the server has acknowledged it."""
    await stream.publish(SUBJECT, json.dumps(event).encode())


async def work() -> None:
    """Work until SIGTERM."""
    async with AsyncStore(DEFAULTS) as store, connected() as stream:

        async def stored(message: Msg) -> None:
            await store.insert(json.loads(message.data))

        await stream.subscribe(SUBJECT, CONSUMER, cb=stored)
        await asyncio.Event().wait()
