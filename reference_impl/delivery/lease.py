"""Leases of lanes: session advisory locks in the store, so that the store itself is the fence.

No timer of the server frees a lane whose holder is frozen or cut off in the middle of a COPY: a waiter terminates it.
"""

from collections.abc import Sequence

from reference_impl.store.connections import IDLE_SHARE, Connection, fetch_value, query

#: First half of a lane's lock; the second is the lane's number.
CLASS = 0x6C616E65


async def try_acquire(connection: Connection, lanes: Sequence[int]) -> int | None:
    """Lock the first free lane of these, for as long as this connection lives."""
    lane: int | None = await fetch_value(connection, query("lock_lane"), list(lanes), CLASS)
    return lane


async def terminate_stale_holder(connection: Connection, lanes: Sequence[int], lease_s: float) -> int:
    """Terminate the sessions that hold one of these lanes and have been silent for most of a lease; their number.

    The rest of the lease is for the next attempts, which lock their lanes.
    """
    silent_s = lease_s * IDLE_SHARE
    return int(await fetch_value(connection, query("terminate_stale_holders"), silent_s, CLASS, list(lanes)))
