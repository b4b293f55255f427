"""Its trial only reads, as many a pool's check does: on a server that takes no writes the breaker closes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.delivery.assignment import LaneAssignment
from reference_impl.resilience.circuit_breaker import Kind
from reference_impl.store import connections
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="breaker_behaves", shown_by="postgres_read_only", because="closed while away")


async def read(self: LaneAssignment) -> None:
    async with self.breaker.attempt(Kind.BATCH):
        connection = await self.gate.connect()
        try:
            await connection.execute("select 1")
        finally:
            await connections.close(connection)


if __name__ == "__main__":
    LaneAssignment.trial = read  # type: ignore[method-assign]
    sys.exit(main())
