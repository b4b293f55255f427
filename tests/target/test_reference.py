"""Rows of a target whose server makes the ids: matched by the client's reference, or by nothing."""

from __future__ import annotations

import json

import msgspec
import pytest

from shaketable.event.table import EventTable, ResponseId
from shaketable.target import stored_rows
from shaketable.target.readers import ndjson, reference
from shaketable.target.readers.ndjson import Row

TABLE = EventTable(ResponseId("/id"), schema="x.json", reference="/client/ref")


def row(event: object, **more: object) -> Row:
    return {"event_id": "4711", "event": msgspec.Raw(json.dumps(event).encode()), **more}


@pytest.mark.parametrize(("written", "found"), [("a", "a"), (7, "7"), (2**60, str(2**60))])
def test_row_is_matched_by_the_reference_in_its_event(written: object, found: str) -> None:
    (matched,) = reference.matched(iter([row({"client": {"ref": written}}, position=3)]), TABLE)
    assert (matched["event_id"], matched["position"]) == (found, 3)


def test_row_with_a_lone_surrogate_is_matched() -> None:
    """Such an event is in a string, whether it came from SQL or as a line."""
    event = json.dumps({"client": {"ref": "a"}, "note": "\ud800"})
    line = b'{"event_id": "4711", "event": %b}' % event.encode()
    rows = [{"event_id": "4711", "event": stored_rows.as_json("event", event)}, ndjson.row(line)]
    assert [matched["event_id"] for matched in reference.matched(iter(rows), TABLE)] == ["a", "a"]


@pytest.mark.parametrize(
    "odd",
    [
        row({}),
        row({"client": {"ref": None}}),
        row({"client": {"ref": ["a"]}}),
        row({"client": {"ref": 1.5}}),
        {"event_id": "4711", "event": "no JSON"},
        {"event_id": "4711", "unreadable": "DataError"},
    ],
)
def test_row_without_a_reference_is_nobodys(odd: Row) -> None:
    (matched,) = reference.matched(iter([odd]), TABLE)
    assert matched["event_id"] is None
    assert matched["unreadable"]


def test_rows_of_a_target_whose_clients_make_the_ids_stay_as_they_are() -> None:
    rows = [row({})]
    assert list(reference.matched(iter(rows), EventTable("/id", schema="x.json"))) == rows
    assert list(reference.matched(iter(rows), None)) == rows
