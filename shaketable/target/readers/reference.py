"""Match rows by the client's reference, for a target whose server makes the ids."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shaketable.event import json_text
from shaketable.event.table import EventTable
from shaketable.target.readers import ndjson
from shaketable.target.readers.ndjson import Row


def matched(rows: Iterator[Row], event: EventTable | None) -> Iterator[Row]:
    """The rows, each under the reference in its event; one without a reference cannot be attributed to an event."""
    if event is None or event.reference is None:
        return rows
    return (_under_reference(row, event.reference) for row in rows)


def of(event: bytes, reference: str) -> str | None:
    """The reference in an event; None if it has none."""
    written = ndjson.at(event, reference)
    try:
        value = msgspec.json.decode(written, type=str | int | None) if written is not None else None
    except msgspec.MsgspecError:
        return None
    return None if value is None else str(value)


def _under_reference(row: Row, reference: str) -> Row:
    if "unreadable" in row:
        return {**row, "event_id": None}  # its id is the server's
    found = of(json_text.unwrapped(msgspec.json.encode(row.get("event"))), reference)
    if found is None:
        return {"event_id": None, "unreadable": f"its event has no {reference} (event.reference), which matches it"}
    return {**row, "event_id": found}
