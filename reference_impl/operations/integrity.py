"""The command `verify`: recompute the hash of every stored event, write the integrity log, and find missing events.

A row is verified or a mismatch; an id that was stored and has no row any more is lost. Events that a handler of yours
received are not in the store, and not verified.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from reference_impl.event import i_json
from reference_impl.event.event import NAMED as NAMED_MEMBERS
from reference_impl.settings import Settings
from reference_impl.store import connections, partitions
from reference_impl.store.connections import Connection, fetch_all, fetch_value
from reference_impl.store.copy_row import NOT_AN_EVENT, digest, seal

#: Rows read, hashed and logged in one transaction. The size of events bounds the memory.
BATCH = 1000
#: Most ids in the result.
NAMED = 100
NEWEST = "select max(id) from audit_log"
METHOD = f"{i_json.ALGORITHM} of RFC 8785"

_SQL = connections.load(__file__)
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
        return self == Verified(verified=self.verified)

    def add(self, field: str, ids: Sequence[object], count: int) -> None:
        """Count this many events, and add the first ids to the result."""
        self.members = (self.members + [str(event_id) for event_id in ids[:NAMED]])[:NAMED]
        setattr(self, field, getattr(self, field) + count)


async def run(settings: Settings) -> int:
    """Verify and print the result as JSON. Returns 1 when anything was changed."""
    async with await connections.connect_without_timeouts(settings) as connection:
        found = await verify(connection, settings.process, key=settings.hash_key)
    print(msgspec.json.encode(found).decode())
    return 0 if found.sound else 1


async def verify(connection: Connection, verified_by: str, batch: int = BATCH, key: str = "") -> Verified:
    """Verify everything that is stored by now. Raises psycopg.Error; entries of the integrity log until then stay."""
    found, page = Verified(), [partitions.FIRST, "-infinity", await fetch_value(connection, NEWEST), batch]
    by = [verified_by, f"HMAC-{METHOD}" if key else METHOD]
    while last := await _verify_rows(connection, page, by, key, found):
        page[:2] = last
    for field in ("lost", "doubled"):
        events = await fetch_all(connection, _SQL[field], NAMED)
        found.add(field, [event_id for _, event_id in events], events[0][0] if events else 0)
    await _verify_dead_letters(connection, batch, key, found)
    found.unaccounted = int(await fetch_value(connection, _SQL["heads"]))
    return found


async def _verify_rows(connection: Connection, page: list[Any], by: list[str], key: str, found: Verified) -> list[Any]:
    """Read, hash and log one page in a transaction, so that its month is not dropped in between; its last row."""
    async with connection.transaction():
        rows = await fetch_all(connection, _SQL["read"], list(NAMED_MEMBERS), *page)
        hashes = [seal(i_json.sha256(_decode(event)), key) for *_, event in rows]
        wrong = [None if hashed == row[3] else hashed for row, hashed in zip(rows, hashes, strict=True)]
        columns = [[row[column] for row in rows] for column in (0, 1, 3)]
        await connection.execute(_SQL["log"], [*by, *columns, wrong])
    mismatched = [row[2] for row, hashed in zip(rows, wrong, strict=True) if hashed]
    found.add("mismatched", mismatched, len(mismatched))
    found.verified += len(rows) - len(mismatched)
    return list(rows[-1][:2]) if rows else []


async def _verify_dead_letters(connection: Connection, batch: int, key: str, found: Verified) -> None:
    last = partitions.FIRST
    while letters := await fetch_all(connection, _SQL["dead_letters"], last, batch):
        last = letters[-1][0]
        changed = [event_id for _, event_id, event, hashed in letters if hashed not in _hashes(event, key)]
        found.add("letters", changed, len(changed))


def _hashes(event: bytes, key: str) -> set[str]:
    """The hashes that a dead letter may have: of its event, or of its bytes if they are not a valid event."""
    digests = {hashlib.sha256(event).hexdigest()}
    with suppress(*NOT_AN_EVENT):
        digests.add(digest(event))
    return {seal(one, key) for one in digests}
