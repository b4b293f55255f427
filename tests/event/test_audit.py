from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shaketable.event import canonical, digest, instant, kinds, parse, same
from shaketable.load.mix import numeric

LOST = "digits beyond a double"

SENT: dict[str, Any] = {
    "eventId": "0B8F9A52-6C1E-4C59-9A37-3F4D2E9C1A77",
    "timestamp": "2026-11-23T12:00:00.1234567+05:30",
    "action": "read",
    "status": "success",
    "principalId": None,
    "seats": [1, None, {"b": 2, "a": None}],
}


def stored(**changes: Any) -> dict[str, Any]:
    return {**SENT, **changes}


def test_an_event_is_the_same_as_itself() -> None:
    assert same(SENT, SENT) == []
    assert digest(SENT) == digest(dict(reversed(SENT.items())))


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": "2026-11-23T06:30:00.123456Z"},
        {"timestamp": "2026-11-23 06:30:00.123456+00"},
        {"eventId": "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"},
        {"seats": [1.0, None, {"b": 2e0}]},
        {"seats": None, "details": {"seats": [1, None, {"b": 2}]}},
        {"ttl": None},
    ],
)
def test_what_is_equal_in_value_is_the_same(changes: dict[str, Any]) -> None:
    assert same(SENT, stored(**changes)) == []
    assert digest(SENT) == digest(stored(**changes))


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"action": "Read"}, ["action"]),
        ({"status": None}, ["status"]),
        ({"ttl": 5}, ["ttl"]),
        ({"timestamp": "2026-11-23T06:30:00.123457Z"}, ["timestamp"]),  # rounded, where it is to be cut
        ({"seats": [1, {"b": 2}]}, ["seats"]),  # a null in an array is an element
        ({"seats": [1, None, {"b": True}]}, ["seats[2].b"]),
        ({"seats": [True, None, {"b": 2}]}, ["seats[0]"]),  # true is not 1
    ],
)
def test_what_differs_is_named_by_its_path_and_never_by_its_value(changes: dict[str, Any], paths: list[str]) -> None:
    assert same(SENT, stored(**changes)) == paths
    assert digest(SENT) != digest(stored(**changes))


def test_a_sent_details_may_be_filed_below_details_once_more() -> None:
    sent = {"action": "x", "details": {"a": 1}, "b": 2}
    assert same(sent, {"action": "x", "details": {"details": {"a": 1}, "b": 2}}) == []
    assert same(sent, {"action": "x", "a": 1, "b": 2}) == []


def test_what_the_target_adds_is_no_difference_unless_it_was_sent() -> None:
    added = stored(hash="ab", details={"processingLatency": 3})
    assert same(SENT, added, adds=("hash", "processingLatency")) == []
    assert digest(SENT) == digest(added, adds=("hash", "processingLatency"))
    assert same(SENT, added) == ["details.processingLatency", "hash"]
    assert same({**SENT, "hash": "mine"}, added, adds=("hash", "processingLatency")) == ["hash"]


def test_a_member_that_the_contract_does_not_name_is_called_as_it_was_sent() -> None:
    assert same({"a": 1}, {"details": {"a": 2}}) == ["a"]
    assert same({"a": 1}, {}) == ["a"]
    assert same({"details": {"a": 1}}, {"a": 2}) == ["details.a"]
    assert same({"details": {"a": 1}}, {}) == ["details.a"]
    assert same({"details": 5}, {"details": 6}) == ["details"]


def test_a_member_name_that_is_no_word_is_quoted_in_its_path() -> None:
    assert same({"a.b": 1}, {"a.b": 2}) == ['"a.b"']


def test_numbers_outside_a_double_keep_their_exact_value() -> None:
    assert parse('{"n": 1e400}') == {"n": Decimal("1e400")}
    assert same(parse('{"n": 1e400}'), parse('{"n": 1' + "0" * 400 + "}")) == []
    assert same(parse('{"n": 1e400}'), parse('{"n": 2e400}')) == ["n"]
    assert digest(parse('{"n": 1e400}')) != digest(parse('{"n": 2e400}'))


def test_numbers_are_compared_as_doubles() -> None:
    assert same(parse('{"n": 9007199254740993}'), {"n": 9007199254740992}) == []
    assert digest({"n": -0.0}) == digest({"n": 0})


@pytest.mark.parametrize("of", [numeric.INTEGERS, numeric.DECIMALS, numeric.EXPONENTS])
def test_number_of_the_mix_is_the_same_as_a_double_and_not_the_same_exactly(of: tuple[str, ...]) -> None:
    doubles, exact = kinds.of(None, "double"), kinds.of(None, "exact")
    texts = [(f'{{"n": {text}}}', f'{{"n": {float(text)!r}}}') for text in of]
    assert [doubles.same(doubles.parse(sent), doubles.parse(kept)) for sent, kept in texts] == [[]] * len(of)
    assert [exact.same(exact.parse(sent), exact.parse(sent)) for sent, _ in texts] == [[]] * len(of)
    assert any(exact.differences(exact.parse(sent), exact.parse(kept)) == [("n", LOST)] for sent, kept in texts)


def test_exact_numbers_are_equal_in_any_spelling() -> None:
    kind = kinds.of(None, "exact")
    spelt = [kind.parse(text) for text in ('{"n": 1E+3, "ttl": 5}', '{"details": {"n": 1000.00}, "ttl": 5.0}')]
    assert kind.same(*spelt) == []


def test_lone_surrogates_and_nul_are_compared_too() -> None:
    assert same(parse(b'{"a": "\\ud800"}'), {"a": "\ud800"}) == []
    assert same(parse(b'{"a": "x\\u0000"}'), {"a": "x"}) == ["a"]
    assert digest({"a": "\ud800"})


@pytest.mark.parametrize("text", ["[]", '"event"', "", "{", '{"n": NaN}'])
def test_what_is_no_json_object_is_no_event(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_an_instant_may_have_small_letters() -> None:
    assert instant("2026-11-23t12:00:00.5z") == instant("2026-11-23T12:00:00.5Z") is not None
    assert same({"timestamp": "2026-11-23t12:00:00z"}, {"timestamp": "2026-11-23 12:00:00+00"}) == []


def test_a_timestamp_without_offset_is_no_instant() -> None:
    assert instant("2026-11-23T12:00:00") is None
    assert instant("yesterday") is None
    assert instant("1970-01-01T00:00:00.0000019Z") == 1
    assert canonical({"timestamp": "yesterday"}) == {"timestamp": "yesterday"}
