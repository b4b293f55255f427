"""The kinds of differences that `content_intact` names, by the two kinds of events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shaketable.event import kinds
from shaketable.event.table import EventTable

GOOD = {"eventId": "a", "timestamp": "2024-01-01T00:00:00Z", "action": "test", "status": "success"}
OWN = EventTable(strategy="mine.py:events", id="/eventId", instants=("/timestamp",))
BOTH = [pytest.param(kinds.of(None), id="audit"), pytest.param(kinds.of(OWN), id="own")]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("member", "sent", "kept", "how"),
    [
        ("timestamp", "2024-01-01T00:00:00.123456Z", "2024-01-01T00:00:00.123Z", "less than a millisecond"),
        ("timestamp", "2024-01-01T00:00:00.123456Z", "2024-01-01T00:00:00Z", "less than a second"),
        ("timestamp", "2024-01-01T00:00:00+02:00", "2024-01-01T00:00:00Z", "whole hours"),
        ("action", "e\u0301", "\u00e9", "another Unicode normalization"),
        ("action", "Test", "test", "letter case"),
        ("action", "test ", "test", "white space at an end"),
        ("action", "testing", "test", "cut short"),
        ("action", "test", "other", ""),
        ("correlationId", "", None, "null for empty text"),
        ("correlationId", None, "", "empty text for null"),
        ("correlationId", "x", None, "missing"),
        ("correlationId", None, "x", "added"),
        ("detail", 12, "12", "text for a number"),
        ("detail", True, 1, "a number for a boolean"),
        ("detail", 5, -5, "a sign"),
    ],
)
def test_difference_has_its_kind_and_no_values(kind: Any, member: str, sent: Any, kept: Any, how: str) -> None:
    was, now = (kind.parse(json.dumps(GOOD | {member: value})) for value in (sent, kept))
    ((path, found),) = kind.differences(was, now)
    assert (path.removeprefix("details.").strip("/"), found) == (member, how)


def test_digits_beyond_a_double_are_named_where_numbers_are_exact() -> None:
    kind = kinds.of(OWN)
    was, now = (kind.parse(f'{{"eventId":"a","n":{n}}}') for n in (2**53 + 1, 2**53))
    assert kind.differences(was, now) == [("/n", "digits beyond a double")]
