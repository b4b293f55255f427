"""As the manual of NATS says for safety; each setting names its chapter. nats.conf has the server's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats
import nats.errors
import psycopg
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy
from psycopg_pool import PoolTimeout

from alternatives.common.async_store import AsyncStore
from alternatives.common.dead_letters import bury
from alternatives.common.statements import HARDENED

STREAM, SUBJECT, CONSUMER = "EVENTS", "events", "workers"
#: Seconds for which a dead worker may hold events, of the pauses between tries, and of one try.
LEASE_S = float(os.environ.get("LEASE_S", "10"))
BASE_S = float(os.environ.get("RETRY_BASE_S", "1"))
CAP_S = float(os.environ.get("RETRY_CAP_S", "30"))
TRY_S = min(5.0, LEASE_S / 2)

stream: JetStreamContext


@asynccontextmanager
async def connected() -> AsyncIterator[JetStreamContext]:
    """The stream, for as long as the connection is open."""
    global stream
    # Automatic Reconnections: "set max reconnect attempts to unlimited"; a client gives up after 60 otherwise
    connection = await nats.connect(
        os.environ["NATS_URL"], max_reconnect_attempts=-1, reconnect_time_wait=1, ping_interval=5
    )
    async with connection:
        stream = connection.jetstream(timeout=5)
        yield stream


async def create(stream: JetStreamContext) -> None:
    """Make the stream and the consumer (JetStream, Streams: WorkQueuePolicy; Consumers: AckExplicit, AckWait)."""
    await stream.add_stream(name=STREAM, subjects=[SUBJECT], retention=RetentionPolicy.WORK_QUEUE)
    await stream.add_consumer(
        STREAM,
        ConsumerConfig(
            durable_name=CONSUMER, ack_policy=AckPolicy.EXPLICIT, ack_wait=LEASE_S, max_ack_pending=1000, max_deliver=-1
        ),
    )


async def enqueue(event: dict[str, Any]) -> None:
    """Return once the server has stored it (Message Deduplication: Nats-Msg-Id)."""
    await stream.publish(SUBJECT, json.dumps(event).encode(), headers={"Nats-Msg-Id": event["eventId"]})


async def work() -> None:
    """Work until SIGTERM: the events in hand are stored first."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    options: dict[str, Any] = {"connect_timeout": 5, "options": "-c statement_timeout=5000", "tcp_user_timeout": 5000}
    async with AsyncStore(HARDENED, **options) as store, connected() as stream:
        pull = await stream.pull_subscribe_bind(CONSUMER, STREAM)
        while not stopping.is_set():
            try:
                messages = await pull.fetch(10, timeout=1)
            except (TimeoutError, nats.errors.Error):  # nothing came, or the client reconnects
                await asyncio.sleep(0.05)
                continue
            await asyncio.gather(*(_handle(store, message) for message in messages))


async def _handle(store: AsyncStore, message: Msg) -> None:
    """Acknowledge after the commit; otherwise have it delivered again after a pause (Consumers: NAK with a delay)."""
    event, tries = json.loads(message.data), message.metadata.num_delivered or 1
    try:
        async with asyncio.timeout(TRY_S):
            await store.insert(event)
    except psycopg.DataError as e:  # there is no dead letter queue
        await asyncio.to_thread(bury, event, e, tries)
    except (psycopg.Error, PoolTimeout, TimeoutError):
        await _answer(message.nak(delay=min(CAP_S, BASE_S * 2 ** min(tries - 1, 20))))
        return
    await _answer(message.ack_sync())


async def _answer(answer: Any) -> None:
    """An answer that does not arrive costs a second delivery, and no more."""
    with suppress(TimeoutError, nats.errors.Error):
        await answer
