"""Validation of the Python alternatives: the mix's own shapes are the measure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alternatives.common.event import Refused, accept
from shaketable import event
from shaketable.load.mix import Mix, malformed
from shaketable.load.mix.corpus import corpus
from shaketable.load.mix.shape import Expect

NOW = datetime.now(UTC)
ID = "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
GOOD = {"eventId": ID, "timestamp": "2026-01-01T00:00:00Z", "action": "x", "status": "success"}


def test_every_well_formed_shape_is_taken_as_it_is() -> None:
    for shape in corpus(Mix(shapes=120), 3, NOW.date()):
        if shape.expect is Expect.ACCEPT:
            sent = shape.wire(ID)
            assert event.same(event.parse(sent), accept(sent, NOW)) == [], shape.why


def test_every_malformed_shape_is_refused_and_what_is_doubtful_is_refused_or_kept() -> None:
    for shape in malformed.shapes(NOW.date()):
        if shape.pad:
            continue  # the intake's own bound
        sent = shape.wire(ID)
        try:
            kept = accept(sent, NOW)
        except Refused:
            continue
        assert shape.expect is Expect.EITHER, shape.why
        assert event.same(event.parse(sent), kept) == [], shape.why


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"action": None}, "action"),
        ({"status": "done"}, "status"),
        ({"eventId": "17"}, "eventId"),
        ({"timestamp": "2026-11-23T10:15:02"}, "timestamp"),
        ({"timestamp": (NOW + timedelta(days=2)).isoformat()}, "timestamp"),
        ({"ttl": 1.5}, "ttl"),
        ({"note": {"deep": ["a\0b"]}}, "note"),
        ({"note": "\ud800"}, "note"),
        ({"note": 10**309}, "note"),
    ],
)
def test_a_refusal_names_the_member(members: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as raised:
        accept(json.dumps(GOOD | members).encode(), NOW)
    assert raised.value.field == field


def test_a_member_that_is_missing_is_named() -> None:
    with pytest.raises(Refused, match="status: required, and missing"):
        accept(json.dumps({k: v for k, v in GOOD.items() if k != "status"}).encode(), NOW)


def test_an_event_without_id_gets_one() -> None:
    taken = accept(json.dumps({k: v for k, v in GOOD.items() if k != "eventId"}).encode(), NOW)
    assert len(taken["eventId"]) == 36


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"{} {}", b'{"a": NaN}', b'"\xff"', b"[" * 9000])
def test_what_is_no_object_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(Refused) as raised:
        accept(body, NOW)
    assert raised.value.status == 400
