"""The process `ingest` with a clock in its event loop: each line on stdin asks for the longest turn since the last."""

from __future__ import annotations

import asyncio
import os
import sys
import time

from reference_impl.ingest import app
from reference_impl.settings import Settings

TICK_S = 0.001


class LoopClock:
    """The longest time between two turns of the loop, in CPU of the whole process: others count for nothing."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def run(self) -> None:
        """Tick until the loop ends."""
        last = time.process_time()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.process_time()
            self.longest_s, last = max(self.longest_s, now - last), now

    def tell(self) -> None:
        """Print the longest, and begin anew."""
        os.read(0, 1)
        print(self.longest_s, flush=True)
        self.longest_s = 0.0


async def main() -> None:
    """Serve until SIGTERM."""
    clock = LoopClock()
    ticking = asyncio.create_task(clock.run())
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), clock.tell)
    await app.run(Settings.read())
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
