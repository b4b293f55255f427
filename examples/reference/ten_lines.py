"""The processor as a library. Run it with DATABASE_URL and REDIS_URL set, after `python -m reference_impl migrate`."""

import asyncio
from datetime import UTC, datetime

from reference_impl.processor import ReliableEventProcessor
from reference_impl.settings import Settings


async def main() -> None:
    """Accept one event, and print the health score."""
    async with ReliableEventProcessor(Settings.read()) as processor:
        event = {"timestamp": datetime.now(UTC), "action": "login", "status": "success", "organizationId": "acme"}
        print("accepted", await processor.add_event(event))
        print("health", processor.health_status().health_score)


if __name__ == "__main__":
    asyncio.run(main())
