"""Deliver the outbox by POST: 2xx ends a delivery, anything else is tried again, after longer and longer pauses."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx
import psycopg
from psycopg_pool import PoolTimeout

from alternatives.webhook.outbox import Outbox

#: Deliveries at once, seconds of one, and of the pauses between tries.
ABREAST, TIMEOUT_S = 8, 5.0
BASE_S = float(os.environ.get("RETRY_BASE_S", "1"))
CAP_S = float(os.environ.get("RETRY_CAP_S", "30"))


async def work(outbox: Outbox) -> None:
    """Work until SIGTERM: deliveries in progress end first."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with outbox, httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
        await asyncio.gather(*(_deliver_all(outbox, client, stopping) for _ in range(ABREAST)))


async def _deliver_all(outbox: Outbox, client: httpx.AsyncClient, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            busy = await _deliver(outbox, client)
        except (psycopg.Error, PoolTimeout):  # its transaction is gone: another try, also of a delivered one
            busy = False
        if not busy:
            await asyncio.sleep(0.1)


async def _deliver(outbox: Outbox, client: httpx.AsyncClient) -> bool:
    """Deliver the next event; returns whether there was one. The receiver knows a repeated one by its id."""
    async with outbox.take() as delivery:
        if delivery is None:
            return False
        headers = {"Content-Type": "application/json", "webhook-id": delivery.event_id}
        try:
            answer = await client.post(os.environ["OUTBOUND_URL"], content=delivery.body, headers=headers)
        except httpx.HTTPError:
            answer = None
        if answer is not None and answer.is_success:
            await delivery.done()
        else:
            await delivery.later(min(CAP_S, BASE_S * 2 ** min(delivery.tries, 20)))
        return True
