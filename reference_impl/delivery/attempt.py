"""A round: one attempt to get something into the store. Every one passes here, so the breaker sees them all.

After a failure one lane tries at a time until one succeeds, so that each attempt of an outage is a round of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

import psycopg

from reference_impl import log
from reference_impl.errors import Failure, StoreError
from reference_impl.operations import metrics
from reference_impl.resilience import error_classes
from reference_impl.resilience.backoff import Sleep
from reference_impl.resilience.circuit_breaker import CLOSED, Breaker, Permit
from reference_impl.settings import Settings


class Kind(Enum):
    """What a round tries."""

    ACQUIRE = "acquire"  # connect, take a lane: proves nothing when it succeeds
    HEARTBEAT = "heartbeat"  # commit a small write
    BATCH = "batch"  # commit events


#: Failures that say nothing about the store's health.
IGNORED_FAILURES = frozenset({Failure.LANE_LOST})


class Attempts:
    """The rounds of one worker."""

    def __init__(self, breaker: Breaker, settings: Settings, sleep: Sleep) -> None:
        self.breaker = breaker
        self.settings, self.sleep = settings, sleep
        self._turn = asyncio.Lock()
        self._trouble: Kind | None = None

    @property
    def degraded(self) -> bool:
        """Whether the last word from the store was a failure."""
        return self._trouble is not None

    @asynccontextmanager
    async def attempt(self, kind: Kind) -> AsyncIterator[None]:
        """One round. Raises BreakerOpenError when it is not admitted, StoreError when the store did not take it."""
        if not self.degraded:
            async with self._judged(kind):
                yield
            return
        async with self._turn, self._judged(kind):
            yield

    @asynccontextmanager
    async def _judged(self, kind: Kind) -> AsyncIterator[None]:
        permit = self.breaker.acquire_permit()
        try:
            yield
        except psycopg.Error as e:
            error = error_classes.to_store_error(e, self.settings)
            await self._failed(kind, permit, error)
            raise error from None
        except BaseException:
            self.breaker.release(permit)
            raise
        self._succeeded(kind, permit)

    async def _failed(self, kind: Kind, permit: Permit, error: StoreError) -> None:
        log.warning(
            "round failed", kind=kind.value, failure=error.failure.value, sqlstate=error.sqlstate, type=error.kind
        )
        metrics.FAILED.labels(error.failure.value).inc()
        if error.failure in IGNORED_FAILURES:
            self.breaker.release(permit)
            return
        was_troubled, self._trouble = self.degraded, kind
        self.breaker.failed(permit, error.sqlstate or error.kind)
        # the pace of an outage; whoever waits for the turn waits for this too
        if was_troubled and self.breaker.state == CLOSED:
            await self.sleep(self.settings.retry_base_s)

    def _succeeded(self, kind: Kind, permit: Permit) -> None:
        """A beat that gets through is no proof that batches do, once a batch was refused."""
        if kind is Kind.BATCH or (kind is Kind.HEARTBEAT and self._trouble is not Kind.BATCH):
            self._trouble = None
            self.breaker.succeeded(permit)
        else:
            self.breaker.release(permit)

    def recovered(self) -> None:
        """The trial committed: all lanes may try again."""
        self._trouble = None
