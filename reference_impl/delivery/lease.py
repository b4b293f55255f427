"""Lane locks: session advisory locks in the store, so that the store itself is the fence.

A holder that is frozen or cut off in the middle of a COPY is freed by no timer of the server; a waiter ends it.
"""

from __future__ import annotations

from collections.abc import Sequence

from reference_impl.resilience.watchdog import Connection
from reference_impl.store.connections import IDLE_SHARE

#: First half of a lane's lock; the second is the lane's number.
CLASS = 0x6C616E65

#: LIMIT stops after the first lock that is got.
_TRY_ACQUIRE = "select lane from unnest(%s::int[]) as lane where pg_try_advisory_lock(%s, lane) limit 1"

#: A holder whose last statement came longer ago than a session may be idle, and from whom the server waits for more.
#: Counted from the statement, not from its end: a long one does not prolong the lease. The same role may end it.
_TERMINATE_STALE_HOLDER = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where pid <> pg_backend_pid() and wait_event = 'ClientRead' and query_start < now() - make_interval(secs => %s)
and pid in (
    select pid from pg_locks where locktype = 'advisory' and granted and classid = %s and objid = any(%s::oid[])
    and database = (select oid from pg_database where datname = current_database())
)
"""


async def try_acquire(connection: Connection, lanes: Sequence[int]) -> int | None:
    """Lock the first of these lanes that is free, for as long as this connection lives."""
    row = await (await connection.execute(_TRY_ACQUIRE, [list(lanes), CLASS])).fetchone()
    return int(row[0]) if row else None


async def terminate_stale_holder(connection: Connection, lanes: Sequence[int], lease_s: float) -> int:
    """End the sessions that hold one of these lanes and have been silent for so long that a lease is nearly over.

    What is left of it is for the next looks, which take their lanes.
    """
    row = await (
        await connection.execute(_TERMINATE_STALE_HOLDER, [lease_s * IDLE_SHARE, CLASS, list(lanes)])
    ).fetchone()
    return int(row[0]) if row else 0
