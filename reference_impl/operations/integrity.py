"""The command `verify`: recompute the hash of every stored event, write the integrity log, and find missing events.

A row is verified or a mismatch; an id that was stored and has no row any more is lost. Events that a handler of yours
received are not in the store, and not verified.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from reference_impl.event import i_json
from reference_impl.event.event import NAMED as NAMED_MEMBERS
from reference_impl.resilience.watchdog import Connection
from reference_impl.settings import Settings
from reference_impl.store import connections, copy_row, evidence, partitions, queries

#: Rows read, hashed and logged in one transaction. The size of events bounds the memory.
BATCH = 1000
#: Most ids in the result, and the least time between two lines of progress, in seconds.
NAMED, PROGRESS_S = 100, 1.0
METHOD = f"{i_json.ALGORITHM} of RFC 8785"

_SQL = queries.load(__file__)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Verified(msgspec.Struct):
    """The result of a verification."""

    verified: int = 0
    mismatched: int = 0
    lost: int = 0
    members: list[str] = []  # ids of the first events that are mismatched, lost, doubled or changed dead letters
    doubled: int = 0
    letters: int = 0  # dead letters that were changed
    unaccounted: int = 0  # how many rows more or fewer than the heads count; 1 if only their sum differs

    @property
    def sound(self) -> bool:
        """Whether everything is as it was stored."""
        return not (self.mismatched or self.lost or self.doubled or self.letters or self.unaccounted)

    def name(self, ids: Sequence[object]) -> int:
        """Add the first of these ids to the result. Returns how many there are."""
        self.members = (self.members + [str(event_id) for event_id in ids[:NAMED]])[:NAMED]
        return len(ids)


async def run(settings: Settings) -> int:
    """Verify and print the result as JSON. Returns 1 when anything was changed."""
    async with await connections.connect_without_timeouts(settings) as connection:
        found = await verify(connection, settings.process, key=settings.hash_key)
    print(msgspec.json.encode(found).decode())
    return 0 if found.sound else 1


async def verify(connection: Connection, verified_by: str, batch: int = BATCH, key: str = "") -> Verified:
    """Verify everything that is stored by now. Raises psycopg.Error; entries of the integrity log until then stay."""
    found, after, reported_at = Verified(), (partitions.FIRST, "-infinity"), time.monotonic()
    ((newest,),) = await _all(connection, "select max(id) from audit_log")
    by = [verified_by, f"HMAC-{METHOD}" if key else METHOD]
    while rows := await _verify_rows(connection, [*after, newest, batch], by, key, found):
        after = rows[-1][:2]
        if time.monotonic() - reported_at >= PROGRESS_S:
            print(f"{found.verified + found.mismatched} verified, up to id {after[0]} of {newest}", file=sys.stderr)
            reported_at = time.monotonic()
    for field in ("lost", "doubled"):
        missing = await _all(connection, _SQL[field], NAMED)
        found.name([event_id for _, event_id in missing])
        setattr(found, field, missing[0][0] if missing else 0)
    await _verify_dead_letters(connection, batch, key, found)
    ((rows, difference, logged),) = await _all(
        connection, _SQL["heads"].format(measure=evidence.MEASURE, log=evidence.LOG)
    )
    found.unaccounted = int(rows + logged) or int(difference != 0)
    return found


async def _verify_rows(connection: Connection, page: list[Any], by: list[str], key: str, found: Verified) -> list[Any]:
    """Read, hash and log one page in a transaction, so that its month is not dropped in between."""
    async with connection.transaction():
        rows = await _all(connection, _SQL["read"], list(NAMED_MEMBERS), *page)
        hashes = [evidence.seal(i_json.sha256(_decode(event)), key) for *_, event in rows]
        wrong = [None if hashed == row[3] else hashed for row, hashed in zip(rows, hashes, strict=True)]
        columns = [[row[column] for row in rows] for column in (0, 1, 3)]
        await connection.execute(_SQL["log"], [*by, *columns, wrong])
        await connection.execute(evidence.COUNT, [len(rows)])
    mismatched = found.name([row[2] for row, hashed in zip(rows, wrong, strict=True) if hashed])
    found.mismatched += mismatched
    found.verified += len(rows) - mismatched
    return rows


async def _verify_dead_letters(connection: Connection, batch: int, key: str, found: Verified) -> None:
    last = 0
    while letters := await _all(connection, _SQL["dead_letters"], last, batch):
        last = letters[-1][0]
        found.letters += found.name(
            [event_id for _, event_id, event, hashed, dead in letters if not dead or hashed not in _hashes(event, key)]
        )


def _hashes(event: bytes, key: str) -> set[str]:
    """The hashes that a dead letter may have: of its event, or of its bytes if they are not a valid event."""
    digests = {hashlib.sha256(event).hexdigest()}
    with suppress(ValueError, msgspec.MsgspecError):
        digests.add(copy_row.digest(event))
    return {evidence.seal(digest, key) for digest in digests}


async def _all(connection: Connection, query: str, *values: object) -> list[Any]:
    return await (await connection.execute(query, values)).fetchall()
