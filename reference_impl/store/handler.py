"""A handler of the user's own in place of `audit_log`: the same queue, lanes, retries, breaker and dead letters.

It is awaited within the transaction that claims the ids of its events, before the commit. So it sees an event again
when that transaction came to nothing (at-least-once): its commit failed, or the batch was refused and its halves are
tried, in the search for poison also the event behind it, once before its turn. All that is committed is in order.
Never two events of one organization at once, but for a session that was lost: whoever takes its lane over does not wait
for a call that still runs, which lasts as long as ATTEMPT_TIMEOUT_S lets it, also past STOP_GRACE_S.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg

from reference_impl.errors import Failure, RefusedError

#: Called with events in their wire form, oldest first: all of them are dealt with when it returns.
Handler = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]


class HandlerError(psycopg.Error):
    """What a handler raised, passed on as the store's own errors are."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"the handler raised {type(cause).__name__}")
        self.kind, self.failure = type(cause).__name__, _failure(cause)


async def call(handler: Handler, events: Sequence[dict[str, Any]], timeout_s: float) -> None:
    """Let the handler deal with these events. Raises HandlerError."""
    try:
        async with asyncio.timeout(timeout_s):
            await handler(events)
    except Exception as e:
        raise HandlerError(e) from e


def _failure(cause: Exception) -> Failure:
    """RefusedError is poison, OSError (TimeoutError too) says that whoever it calls is away; others say nothing."""
    if isinstance(cause, RefusedError):
        return Failure.DATA
    return Failure.AWAY if isinstance(cause, OSError) else Failure.UNKNOWN
