"""The verifier: computes anew the hash of every stored event, writes the integrity log, and misses what is gone.

A row is verified or a mismatch; an id that was stored, and has no row any more, is lost. Where a handler of one's own
took the events there is nothing to verify.
"""

from __future__ import annotations

import hashlib
import sys
import time
from contextlib import suppress
from typing import Any

import msgspec

from reference_impl.event import i_json
from reference_impl.event.event import NAMED as NAMED_MEMBERS
from reference_impl.resilience.watchdog import Connection
from reference_impl.settings import Settings
from reference_impl.store import connections, copy_row, evidence, partitions

#: Rows read, hashed and logged in one transaction: what they may hold in memory is bounded by the size of events.
BATCH = 1000
#: Most ids that the outcome names, and the least time between two words of progress, in seconds.
NAMED, PROGRESS_S = 100, 1.0
METHOD = f"{i_json.ALGORITHM} of RFC 8785"

#: The event as it was hashed: its named members, and the others, which lie in details. Sound is what its key agrees
#: with, and what nobody but the store writes like that.
_READ = """
select stored.id, timestamp, stored.event_id,
    case when key.hash = stored.hash and not dead and stored.id = position and hash_algorithm = 'SHA-256'
        and not coalesce(details ?| %s::text[], false) then encode(stored.hash, 'hex') else '' end,
    (jsonb_strip_nulls(jsonb_build_object(
    'eventId', stored.event_id, 'timestamp', to_char(timestamp at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'action', action, 'status', status, 'principalId', principal_id, 'organizationId', organization_id,
    'targetResourceType', target_resource_type, 'targetResourceId', target_resource_id,
    'outcomeDescription', outcome_description, 'ttl', ttl, 'correlationId', correlation_id,
    'dataClassification', data_classification, 'retentionPolicy', retention_policy, 'eventVersion', event_version
)) || coalesce(details, '{}'))::text
from (
    select * from audit_log where (id, timestamp) > (%s, %s::timestamptz) and id <= %s order by id, timestamp limit %s
) as stored left join audit_event_key key using (event_id) order by stored.id, timestamp
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
where not dropped and not case when dead
    then exists (select from audit_dead_letter letter where letter.event_id = key.event_id)
    else exists (select from audit_log stored where stored.event_id = key.event_id) end
order by event_id limit %s
"""
_DOUBLED = "select count(*) over (), event_id from audit_log group by event_id having count(*) > 1 limit %s"
_LETTERS = """
select letter.id, letter.event_id, event, encode(hash, 'hex'), dead
from audit_dead_letter letter left join audit_event_key key using (event_id) where letter.id > %s order by 1 limit %s
"""
#: What the heads say besides what is there, in one snapshot: rows, their sum, rows of the integrity log.
_HEADS = f"""
select abs(rows - found), sum - measured, abs(logged - (select count(*) from audit_integrity_log))
from (select {evidence.MEASURE} from audit_log) as there (found, measured), (
    select coalesce(sum(rows) filter (where lane <> {evidence.LOG}), 0),
        coalesce(sum(sum), 0), coalesce(sum(rows) filter (where lane = {evidence.LOG}), 0) from audit_head
) as head (rows, sum, logged)
"""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Verified(msgspec.Struct):
    """What a verification found."""

    verified: int = 0
    mismatched: int = 0
    lost: int = 0
    members: list[str] = []  # the ids of events that are not what they were: the first of them
    doubled: int = 0
    letters: int = 0  # dead letters that were changed
    unaccounted: int = 0  # rows more or less than the heads have; at least 1 where they have others

    @property
    def sound(self) -> bool:
        """Whether all is as it was stored."""
        return not (self.mismatched or self.lost or self.doubled or self.letters or self.unaccounted)

    def name(self, found: list[Any]) -> int:
        """Name the first of these (how many, id); how many there are."""
        self.members = (self.members + [str(event_id) for _, event_id in found])[:NAMED]
        return int(found[0][0]) if found else 0


async def run(settings: Settings) -> int:
    """The command `verify`; 1 when an event is not what it was."""
    connection = await connections.connect_without_timeouts(settings)
    try:
        found = await verify(connection, settings.process, key=settings.hash_key)
    finally:
        await connections.close(connection)
    print(msgspec.json.encode(found).decode())
    return 0 if found.sound else 1


async def verify(connection: Connection, verified_by: str, batch: int = BATCH, key: str = "") -> Verified:
    """Verify all that is stored by now. Raises psycopg.Error; what was logged until then stays."""
    found, last = Verified(), (partitions.FIRST, "-infinity")
    newest, told_at = (await _all(connection, "select max(id) from audit_log"))[0][0], time.monotonic()
    while newest is not None and last[0] <= newest:
        async with connection.transaction():  # so that no month goes between reading and logging
            rows = await _all(connection, _READ, list(NAMED_MEMBERS), *last, newest, batch)
            await _log(connection, rows, verified_by, found, key)
        if not rows:
            break
        last = rows[-1][:2]
        if time.monotonic() - told_at >= PROGRESS_S:
            print(f"{found.verified + found.mismatched} verified, up to id {last[0]} of {newest}", file=sys.stderr)
            told_at = time.monotonic()
    found.lost = found.name(await _all(connection, _LOST, NAMED))
    found.doubled = found.name(await _all(connection, _DOUBLED, NAMED))
    await _read_letters(connection, batch, found, key)
    rows, difference, logged = (await _all(connection, _HEADS))[0]
    found.unaccounted = int(rows + logged) or int(difference != 0)
    return found


async def _log(connection: Connection, rows: list[Any], verified_by: str, found: Verified, key: str) -> None:
    computed = [evidence.seal(i_json.sha256(_decode(event)), key) for *_, event in rows]
    wrong = [None if digest == one[3] else digest for one, digest in zip(rows, computed, strict=True)]
    mismatched = [(0, one[2]) for one, digest in zip(rows, wrong, strict=True) if digest]
    found.mismatched += len(mismatched)
    found.verified += len(rows) - len(mismatched)
    found.name(mismatched)
    columns = [[one[column] for one in rows] for column in (0, 1, 3)]
    method = f"HMAC-{METHOD}" if key else METHOD
    await connection.execute(_LOG, [verified_by, method, *columns, wrong])
    await connection.execute(evidence.COUNT, [len(rows)])


async def _read_letters(connection: Connection, batch: int, found: Verified, key: str) -> None:
    """A letter's hash is that of its event, or of its bytes where they are no event of ours."""
    last = 0
    while letters := await _all(connection, _LETTERS, last, batch):
        last = letters[-1][0]
        changed = [
            (0, event_id) for _, event_id, event, kept, dead in letters if not (dead and kept in _hashes(event, key))
        ]
        found.letters += len(changed)
        found.name(changed)


def _hashes(event: bytes, key: str) -> set[str]:
    digests = {hashlib.sha256(event).hexdigest()}
    with suppress(ValueError, msgspec.MsgspecError):
        digests.add(copy_row.digest(event))
    return {evidence.seal(digest, key) for digest in digests}


async def _all(connection: Connection, query: str, *values: object) -> list[Any]:
    return await (await connection.execute(query, values)).fetchall()
