"""The processor as a library."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from reference_impl.errors import NotNowError, RefusedError
from reference_impl.processor import ReliableEventProcessor
from reference_impl.settings import Settings
from tests.reference_impl.conftest import until


def test_an_added_event_is_stored(settings: Settings, admin: psycopg.Connection[Any]) -> None:
    async def run() -> list[str]:
        processor = ReliableEventProcessor(settings)
        await processor.start()
        event = {"timestamp": datetime.now(UTC), "action": "login", "status": "success"}

        async def added() -> list[str]:
            try:
                return [await processor.add_event(event)]
            except NotNowError:  # not connected yet
                return []

        ids: list[str] = await until(added)
        with pytest.raises(RefusedError):
            await processor.add_event({"action": "login"})

        async def stored() -> bool:
            found = [str(event_id) for (event_id,) in admin.execute("select event_id from audit_log")]
            return found == ids

        async def healthy() -> bool:
            return processor.health_status().health_score == 100

        await until(stored)
        await until(healthy)
        await processor.stop()
        return ids

    assert len(asyncio.run(run())) == 1
