"""A handler of your own in place of `audit_log`: with the same queue, lanes, retries, breaker and dead letters.

It is awaited within the transaction that claims the ids of its events, before the commit. When that transaction is
rolled back, it sees the events again (at-least-once): because the commit failed, or because the batch was refused and
its halves are tried; the search for a bad event may also try the event behind it before its turn. All committed events
are in order. Two events of one organization are never handled at once, except after a lost session: the next owner of
its lane does not wait for a call that still runs, which may last for ATTEMPT_TIMEOUT_S, also past STOP_GRACE_S.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import psycopg

from reference_impl.errors import Failure, RefusedError

#: Called with events in their wire form, oldest first; when it returns, all of them are handled.
Handler = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]


class HandlerError(psycopg.Error):
    """An exception of a handler, in the form of an error of the store."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"the handler raised {type(cause).__name__}")
        self.kind, self.failure = type(cause).__name__, _failure(cause)


async def call(handler: Handler, events: Sequence[dict[str, Any]], timeout_s: float) -> None:
    """Await the handler. Raises HandlerError."""
    try:
        await asyncio.wait_for(handler(events), timeout_s)
    except Exception as e:
        raise HandlerError(e) from e


def _failure(cause: Exception) -> Failure:
    """RefusedError: the event is bad. OSError, TimeoutError too: a service of the handler is unavailable."""
    if isinstance(cause, RefusedError):
        return Failure.DATA
    return Failure.UNAVAILABLE if isinstance(cause, OSError) else Failure.UNKNOWN
