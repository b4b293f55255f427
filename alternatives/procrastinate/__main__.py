"""Make the schema, serve the intake, or work; the hardened worker under a supervisor: it ends when a side task fails.

The tasks are imported by their module's name, by which a worker finds them; here it would be `__main__`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from starlette.applications import Starlette

from alternatives.common import intake
from alternatives.common.migrate import migrate
from alternatives.common.supervise import supervise

variant, part = sys.argv[1:]
tasks = import_module(f"alternatives.procrastinate.{variant}")


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connections."""
    async with tasks.app.open_async():
        yield


async def enqueue(event: dict[str, Any]) -> None:
    """Return once the job is committed."""
    await tasks.store_event.defer_async(event=event)


async def schema() -> None:
    """Make the library's own tables."""
    async with tasks.app.open_async():
        await tasks.app.schema_manager.apply_schema_async()


if part == "schema":
    migrate()
    asyncio.run(schema())
elif part == "supervisor":
    supervise([sys.executable, "-m", "alternatives.procrastinate", variant, "worker"])
elif part == "worker":
    asyncio.run(tasks.work())
else:
    intake.serve(enqueue, lifespan)
