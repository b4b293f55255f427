"""A target's own events are compared as its manifest says: exactly, but for what it exempts."""

from __future__ import annotations

from typing import Any

import pytest

from shaketable.event import kinds
from shaketable.event.own import OwnEvent, nanoseconds
from shaketable.event.table import EventTable


def differing(sent: str, stored: str, **more: Any) -> list[str]:
    kind = OwnEvent(EventTable(id="/order/id", schema="x.json", **more))
    return kind.same(kind.parse(sent), kind.parse(stored))


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ('{"a": 1.10}', '{"a": 1.1}'),
        ('{"a": 1E+2}', '{"a": 100}'),
        ('{"a": -0.0}', '{"a": 0}'),
        ('{"a": null, "b": {"c": null}}', '{"b": {}}'),
        ('{"a": {"x": 1, "y": 2}}', '{"a": {"y": 2, "x": 1}}'),
    ],
)
def test_same_values_in_other_words_are_equal(sent: str, stored: str) -> None:
    assert differing(sent, stored) == []


@pytest.mark.parametrize(
    ("sent", "stored", "paths"),
    [
        ('{"a": 9007199254740993}', '{"a": 9007199254740992}', ["/a"]),
        ('{"a": 0.1234567890123456789}', '{"a": 0.12345678901234568}', ["/a"]),
        ('{"a": "\u00e9"}', '{"a": "e\u0301"}', ["/a"]),
        ('{"a": [1, 2]}', '{"a": [1]}', ["/a"]),
        ('{"a": [{"b": 1}, {"b": 2}]}', '{"a": [{"b": 1}, {"b": "2"}]}', ["/a/1/b"]),
        ('{"a": true}', '{"a": 1}', ["/a"]),
        ('{"a": {}}', "{}", ["/a"]),
        ("{}", '{"a/b": 1}', ["/a~1b"]),
        ('{"a": [null]}', '{"a": []}', ["/a"]),
    ],
)
def test_what_differs_is_named_by_its_pointer(sent: str, stored: str, paths: list[str]) -> None:
    assert differing(sent, stored) == paths


def test_numbers_compared_as_doubles_may_lose_digits_but_not_their_size() -> None:
    assert differing('{"a": 9007199254740993}', '{"a": 9007199254740992}', numbers="double") == []
    assert differing('{"a": 9007199254740995}', '{"a": 9007199254740993}', numbers="double") == ["/a"]
    assert differing('{"a": 1e400}', '{"a": 1e401}', numbers="double") == ["/a"]


@pytest.mark.parametrize(
    ("stored", "precision", "paths"),
    [
        ("2026-01-02T03:04:05.123456Z", "us", []),
        ("2026-01-02T03:04:05.123457Z", "us", []),  # rounded
        ("2026-01-02T03:04:05.123458Z", "us", ["/at/0"]),
        ("2026-01-02T03:04:05.123Z", "us", ["/at/0"]),
        ("2026-01-02T03:04:05.123Z", "ms", []),
        ("2026-01-02T03:04:05Z", "s", []),
        ("2026-01-02T04:04:05.1234567+01:00", "ns", []),
        ("2026-01-02T03:04:05.123456", "us", ["/at/0"]),  # no offset: no instant
    ],
)
def test_instants_are_compared_to_a_precision(stored: str, precision: str, paths: list[str]) -> None:
    sent = '{"at": ["2026-01-02T03:04:05.1234567Z"]}'
    assert differing(sent, f'{{"at": ["{stored}"]}}', instants=("/at/*",), precision=precision) == paths


def test_before_1970_an_instant_counts_backwards() -> None:
    assert nanoseconds("1969-12-31T23:59:59.5Z") == -500_000_000
    assert nanoseconds("no instant") is None


def test_ignored_and_added_members_are_not_compared() -> None:
    assert (
        differing('{"items": [{"seq": 1, "a": 1}]}', '{"items": [{"seq": 9, "a": 1}]}', ignore=("/items/*/seq",)) == []
    )
    kind = kinds.of(EventTable(id="/id", schema="x.json"))
    assert kind.same({"a": "x"}, {"a": "x", "hash": "y", "b": "z"}, adds=("hash",)) == ["/b"]
    assert kind.same({"hash": "x"}, {"hash": "y"}, adds=("hash",)) == ["/hash"]  # sent, so compared


def test_uuids_are_compared_without_case_and_other_ids_exactly() -> None:
    upper, lower = '{"order": {"id": "ABCD"}}', '{"order": {"id": "abcd"}}'
    assert differing(upper, lower) == []
    assert differing(upper, lower, id_format="ulid") == ["/order/id"]
    assert kinds.of(EventTable(id="/id", schema="x", id_format="ORD-{uuid}")).key("ORD-1") == "ORD-1"
    assert kinds.of(None).key("ABC") == "abc"


@pytest.mark.parametrize("text", ["[]", "1", "{", '{"a": NaN}', '{"a": 1e99999999999999999999}'])
def test_what_is_no_event_raises_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        kinds.of(EventTable(id="/id", schema="x")).parse(text)


def test_contents_leave_out_the_id() -> None:
    kind = kinds.of(EventTable(id="/order/id", schema="x"))
    assert kind.contents(b'{"order": {"id": "1", "a": "x"}}') == {"order": {"a": "x"}}
    assert kind.contents(b'{"a": "x", "b": null}') == {"a": "x"}
