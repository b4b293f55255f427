"""A silent link: every call ends in its time, because the socket is shut."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
import psycopg
import pytest

from reference_impl.dead_letters.isolation import Isolation
from reference_impl.errors import Failure
from reference_impl.settings import Settings
from reference_impl.store import connections
from reference_impl.store.connections import bounded, shutdown_socket
from reference_impl.store.writer import Store
from tests.reference_impl.conftest import Link, row, store_of

#: Beyond attempt_timeout_s, for a machine that is busy. Without the bound such a call takes 12 s.
TOLERANCE_S = 8


async def elapsed(call: Callable[[], Awaitable[object]]) -> float:
    begun = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        await call()
    return time.monotonic() - begun


@pytest.mark.parametrize(
    "call",
    [lambda store: store.store([row()]), lambda store: store.heartbeat()],
)
def test_a_call_on_a_silent_link_ends_in_its_time(
    settings: Settings, postgres_link: Link, call: Callable[[Store], Awaitable[object]]
) -> None:
    through = msgspec.structs.replace(settings, database_url=postgres_link.through(settings.database_url))

    async def run() -> float:
        store = await store_of(through)
        postgres_link.silence()
        took = await elapsed(lambda: call(store))
        await connections.close(store.connection)
        return took

    assert 0.9 <= asyncio.run(run()) <= settings.attempt_timeout_s + TOLERANCE_S


def test_a_search_for_poison_that_a_silent_link_meets_between_its_steps_ends_too(
    settings: Settings, postgres_link: Link
) -> None:
    through = msgspec.structs.replace(settings, database_url=postgres_link.through(settings.database_url))
    # a long lease, so that the server does not end the session for us
    quick = msgspec.structs.replace(through, attempt_timeout_s=0.3, lease_s=60.0)
    attempts = 4  # of a single row

    async def run() -> float:
        store = await store_of(quick)
        await store.store([row()])  # so that its month is known: what comes first is BEGIN
        postgres_link.silence()
        with bounded(store.connection, 10):  # so that this test ends where the search does not
            took = await elapsed(lambda: Isolation(store, [row()], frozenset({Failure.DATA}), []).run())
        await connections.close(store.connection)
        return took

    assert asyncio.run(run()) <= quick.attempt_timeout_s * attempts + TOLERANCE_S


def test_a_connection_over_a_silent_link_ends_in_its_time(settings: Settings, postgres_link: Link) -> None:
    through = msgspec.structs.replace(settings, database_url=postgres_link.through(settings.database_url))
    postgres_link.silence()
    took = asyncio.run(elapsed(lambda: connections.connect(through)))
    assert took <= settings.connect_timeout_s + TOLERANCE_S


def test_a_shut_connection_sends_nothing_more(settings: Settings) -> None:
    async def run() -> None:
        store = await store_of(settings)
        shutdown_socket(store.connection)
        with pytest.raises(psycopg.OperationalError):
            await store.heartbeat()
        await connections.close(store.connection)

    asyncio.run(run())
