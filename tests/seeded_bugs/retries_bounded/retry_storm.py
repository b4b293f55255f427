"""Tries again at once, and without end: no failure makes it pause."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.resilience.circuit_breaker import Breaker, Permit
from tests.seeded_bugs.bug import Bug

BUG = Bug(
    caught_by="retries_bounded",
    shown_by="short_outage",
    shipped="postgres_outage",
    because="connections in",
    in_ci=True,
)

init = Breaker.__init__


def hasty(self: Breaker, *parts: Any) -> None:
    init(self, *parts)
    self.sleep = no_pause


async def no_pause(seconds: float) -> None:
    await asyncio.sleep(0)


def unmoved(self: Breaker, permit: Permit, why: str) -> None:
    self.release(permit)


if __name__ == "__main__":
    Breaker.__init__ = hasty  # type: ignore[method-assign,assignment]
    Breaker.failed = unmoved  # type: ignore[method-assign]
    sys.exit(main())
