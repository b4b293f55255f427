"""Make the outbox, serve the intake, or deliver."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from starlette.applications import Starlette

from alternatives.common import intake
from alternatives.webhook.outbox import SCHEMA, Outbox

(part,) = sys.argv[1:]
outbox = Outbox()


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """The intake's connections."""
    async with outbox:
        yield


if part == "schema":
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(SCHEMA)
elif part == "worker":
    from alternatives.webhook.deliverer import work

    asyncio.run(work(outbox))
else:
    intake.serve(outbox.add, lifespan)
