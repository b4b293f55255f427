"""The verifier: computes anew the hash of every stored event, writes the integrity log, and misses what is gone.

A row is verified or a mismatch; an id that was stored, and has no row any more, is lost. Where a handler of one's own
took the events there is nothing to verify.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import msgspec

from reference_impl import canonical, database
from reference_impl.settings import Settings
from reference_impl.watchdog import Connection

#: Rows read, hashed and logged in one transaction: what they may hold in memory is bounded by the size of events.
BATCH = 1000
#: Most ids that the outcome names, and the least time between two words of progress, in seconds.
NAMED, PROGRESS_S = 100, 1.0
METHOD = f"{canonical.ALGORITHM} of RFC 8785"

#: The event as it was hashed: its named members, and the others, which lie in details.
_READ = """
select id, timestamp, event_id, encode(hash, 'hex'), (jsonb_strip_nulls(jsonb_build_object(
    'eventId', event_id, 'timestamp', to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'action', action, 'status', status, 'principalId', principal_id, 'organizationId', organization_id,
    'targetResourceType', target_resource_type, 'targetResourceId', target_resource_id,
    'outcomeDescription', outcome_description, 'ttl', ttl, 'correlationId', correlation_id,
    'dataClassification', data_classification, 'retentionPolicy', retention_policy, 'eventVersion', event_version
)) || coalesce(details, '{}'))::text
from audit_log where id > %s and id <= %s order by id limit %s
"""
_LOG = """
insert into audit_integrity_log
    (audit_log_id, timestamp, verification_status, verified_by, verification_method, verification_details)
select id, timestamp, case when computed is null then 'verified' else 'mismatch' end, %s, %s,
    case when computed is not null then jsonb_build_object('stored', stored, 'computed', computed) end
from unnest(%s::bigint[], %s::timestamptz[], %s::text[], %s::text[]) as seen (id, timestamp, stored, computed)
"""
_LOST = """
select count(*) over (), event_id from audit_event_key key
where not dead and not exists (select from audit_log stored where stored.event_id = key.event_id) order by event_id
limit %s
"""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Verified(msgspec.Struct):
    """What a verification found."""

    verified: int = 0
    mismatched: int = 0
    lost: int = 0
    members: list[str] = []  # the ids of events that are not what they were: the first of them


async def run(settings: Settings) -> int:
    """The command `verify`; 1 when an event is not what it was."""
    connection = await database.connect_unhurried(settings)
    try:
        found = await verify(connection, settings.process)
    finally:
        await database.close(connection)
    print(msgspec.json.encode(found).decode())
    return 1 if found.mismatched or found.lost else 0


async def verify(connection: Connection, verified_by: str, batch: int = BATCH) -> Verified:
    """Verify all that is stored by now. Raises psycopg.Error; what was logged until then stays."""
    found, last = Verified(), 0
    newest, told_at = await _one(connection, "select coalesce(max(id), 0) from audit_log"), time.monotonic()
    while last < newest:
        async with connection.transaction():  # so that no month goes between reading and logging
            rows = await (await connection.execute(_READ, [last, newest, batch])).fetchall()
            await _log(connection, rows, verified_by, found)
        last = rows[-1][0] if rows else newest
        if time.monotonic() - told_at >= PROGRESS_S:
            print(f"{found.verified + found.mismatched} verified, up to id {last} of {newest}", file=sys.stderr)
            told_at = time.monotonic()
    lost = await (await connection.execute(_LOST, [NAMED])).fetchall()
    found.lost = lost[0][0] if lost else 0
    found.members = (found.members + [str(event_id) for _, event_id in lost])[:NAMED]
    return found


async def _log(connection: Connection, rows: list[Any], verified_by: str, found: Verified) -> None:
    computed = [canonical.sha256(_decode(event)) for *_, event in rows]
    wrong = [None if digest == row[3] else digest for row, digest in zip(rows, computed, strict=True)]
    mismatched = [str(row[2]) for row, digest in zip(rows, wrong, strict=True) if digest]
    found.mismatched += len(mismatched)
    found.verified += len(rows) - len(mismatched)
    found.members = (found.members + mismatched)[:NAMED]
    columns = [[row[column] for row in rows] for column in (0, 1, 3)]
    await connection.execute(_LOG, [verified_by, METHOD, *columns, wrong])


async def _one(connection: Connection, query: str) -> int:
    row = await (await connection.execute(query)).fetchone()
    return int(row[0]) if row else 0
