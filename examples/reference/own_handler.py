"""A handler of your own in place of the store: it gets batches, in order, at least once.

Run it with DATABASE_URL and REDIS_URL set, after `python -m reference_impl migrate`. The database holds the locks of
the lanes, the ids that are done, and the dead letters.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from reference_impl.errors import RefusedError
from reference_impl.processor import ReliableEventProcessor
from reference_impl.settings import Settings

handled: asyncio.Queue[str] = asyncio.Queue()


async def handle(events: Sequence[dict[str, Any]]) -> None:
    """Handle a batch. RefusedError makes the event a dead letter; OSError is an outage, which the breaker counts."""
    if any(event["action"] == "nonsense" for event in events):
        raise RefusedError("action", "expected a known action")
    for event in events:
        await handled.put(event["action"])


async def main() -> None:
    """Add an event that the handler refuses and one that it handles."""
    async with ReliableEventProcessor(Settings.read(), handle) as processor:
        for action in ("nonsense", "login"):
            await processor.add_event({"timestamp": datetime.now(UTC), "action": action, "status": "success"})
        print("handled", await handled.get())


if __name__ == "__main__":
    asyncio.run(main())
