"""Replaces a stored event by what is sent later under its id, as an upsert does."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

sys.path[:0] = [str(Path(__file__).parents[3])]

from reference_impl.__main__ import main
from reference_impl.event.event import Event
from reference_impl.store.connections import fetch_all, query
from reference_impl.store.copy_row import Row
from reference_impl.store.writer import Store
from tests.seeded_bugs.bug import Bug

BUG = Bug(caught_by="content_intact", shown_by="short_calm", shipped="calm")

#: All members but those by which a row is found.
COLUMNS = [name for name in Event.__struct_fields__ if name not in ("event_id", "timestamp")]
UPSERT = sql.SQL("update audit_log set {} where event_id = %s").format(
    sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in COLUMNS)
)


async def replace(self: Store, rows: Sequence[Row]) -> int:
    conflicts = await fetch_all(self.connection, query("conflicts"))
    for ordinal, _ in conflicts:
        event = msgspec.json.decode(rows[ordinal].event, type=Event)
        values = [getattr(event, name) for name in COLUMNS]
        values = [Jsonb(value) if isinstance(value, dict) else value for value in values]
        await self.connection.execute(UPSERT, [*values, event.event_id])
    return len(conflicts)


if __name__ == "__main__":
    Store._insert_conflicts = replace  # type: ignore[method-assign]
    code = main()
    if sys.argv[1] == "migrate":  # the reference takes the right to change a row from its user
        with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
            connection.execute("grant update on audit_log to current_user")
    sys.exit(code)
