"""A preset: what it fills in, asks for and refuses, before the hash."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reference_impl.errors import RefusedError
from reference_impl.event import event, i_json
from reference_impl.event.event import Preset
from tests.reference_impl.conftest import NOW, wire


def preset(**changes: Any) -> Preset:
    whole: dict[str, Any] = {
        "name": "p",
        "organization_id": None,
        "action": None,
        "required_fields": [],
        "default_values": {},
        "validation": {},
    }
    return msgspec.convert({**whole, **changes}, Preset)


def accepted(one: Preset, **members: Any) -> event.Stamped:
    return event.accept(wire(**members), NOW, 32, lambda *_: one)


def test_defaults_are_filled_in_where_a_member_is_absent_or_null_and_the_hash_is_of_the_whole() -> None:
    one = preset(default_values={"retentionPolicy": "standard", "dataClassification": "PHI", "ward": {"n": 1}})
    stamped = accepted(one, dataClassification="PUBLIC", retentionPolicy=None)
    assert (stamped.event.retention_policy, stamped.event.data_classification) == ("standard", "PUBLIC")
    assert stamped.event.details == {"ward": {"n": 1}}
    assert stamped.hash == i_json.sha256(event.wire(stamped.event))


@pytest.mark.parametrize(("member", "value"), [("dataClassification", "SECRET"), ("principalId", "é" * 513)])
def test_a_default_is_no_way_around_the_contract(member: str, value: str) -> None:
    with pytest.raises(RefusedError) as error:
        accepted(preset(default_values={member: value}))
    assert error.value.field == member


@pytest.mark.parametrize("member", ["principalId", "ward", "x-ward"])
def test_a_required_member_that_is_missing_is_named(member: str) -> None:
    one = preset(required_fields=[member])
    accepted(one, **{member: "x"})
    for members in ({}, {member: None}):
        with pytest.raises(RefusedError) as error:
            accepted(one, **members)
        assert (error.value.field, error.value.status) == (member, 422)
    accepted(preset(required_fields=[member], default_values={member: "x"}))


@pytest.mark.parametrize(
    ("rule", "fits", "breaks", "expected"),
    [
        ({}, "", 1, "expected `str`"),
        ({"type": "number"}, 1, True, "expected `float`"),
        ({"type": "number", "minimum": 0, "maximum": 10}, 10, 10.5, "expected `float` <= 10"),
        ({"type": "boolean"}, True, 1, "expected `bool`"),
        ({"type": "array", "maxLength": 2}, [1, {}], [1, 2, 3], "length <= 2"),
        ({"type": "object"}, {"a": None}, [], "expected `object`"),
        ({"enum": ["a", "b"]}, "a", "c", "invalid enum value"),
        ({"pattern": "^W[0-9]+$"}, "W12", "V12", "matching regex '^W[0-9]+$'"),
        ({"minLength": 2, "maxLength": 3}, "ab", "abcd", "length <= 3"),
    ],
)
def test_a_rule_that_is_broken_says_what_was_expected(rule: Any, fits: Any, breaks: Any, expected: str) -> None:
    one = preset(validation={"x-ward": rule})
    accepted(one)
    accepted(one, **{"x-ward": None})
    accepted(one, **{"x-ward": fits})
    with pytest.raises(RefusedError) as error:
        accepted(one, **{"x-ward": breaks})
    assert error.value.field == "x-ward"
    assert expected in error.value.why
    assert "(preset 'p')" in error.value.why


@pytest.mark.parametrize(
    "rule",
    [
        *[{"pattern": pattern} for pattern in ("(", "a{99999999999}", "(" * 3000 + "a" + ")" * 3000)],
        {"minLenght": 1},
        {"type": "integer"},
        {"type": "number", "pattern": "a"},
    ],
)
def test_a_rule_that_nobody_could_follow_is_refused(rule: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        preset(validation={"ward": rule})
