"""JSON is split into slices of its source, also where msgspec refuses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shaketable.event import json_text

#: JSON values, with lone surrogates in texts and names.
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=5), st.sampled_from([None, 0, 2]))
def test_members_are_slices_of_the_source(value: dict[str, Any], indent: int | None) -> None:
    source = json.dumps({"lone": "\ud800", **value}, indent=indent)
    found = json_text.members(source)
    assert {name: json.loads(written) for name, written in found.items()} == {"lone": "\ud800", **value}
    assert all(written in source for written in found.values())


@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 0, 2]))
def test_elements_beside_a_lone_surrogate_are_found(value: list[Any], indent: int | None) -> None:
    source = json.dumps([*value, "\udc00"], indent=indent)
    assert [json.loads(json_text.at(source, [str(at)])) for at in range(len(value) + 1)] == [*value, "\udc00"]


@given(VALUES, st.sampled_from([0, 2]))
def test_value_on_one_line_is_the_same_value(value: Any, indent: int) -> None:
    line = json_text.on_one_line(json.dumps(value, indent=indent).replace("\n", "\r\n").encode() + b"\n")
    assert len(line.splitlines()) == 1
    assert json.loads(line) == value


@pytest.mark.parametrize(
    "number", ["1.234567890123456789012345", "1e400", "-0.0", "1.0", "9007199254740993", "9" * 5000, "1E+99999999"]
)
def test_number_beside_a_lone_surrogate_keeps_its_digits(number: str) -> None:
    source = f'{{"lone": "\\ud800", "list": [ {number} ], "n" : {number}}}'
    assert json_text.members(source)["n"] == number
    assert json_text.at(source, ["list", "0"]) == number


@pytest.mark.parametrize(
    "text",
    ['["\\ud800"]', '{"a":"\\ud800","n":NaN}', '{"a":"\\ud800"}}', '{"a":"\\ud800",}', '"\\ud800"', "", "{"],
)
def test_text_that_is_no_object_has_no_members(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Ee]xpect|Extra|Illegal"):
        json_text.members(text)


@pytest.mark.parametrize(
    ("kept", "own"),
    [
        (b'"{\\"a\\":\\"\\\\ud800\\"}"', b'{"a":"\\ud800"}'),  # msgspec cannot read it, so it is in a string
        (b'"{\\"a\\":1}"', b'"{\\"a\\":1}"'),  # the target keeps a string
        (b'{"a":1}', b'{"a":1}'),
    ],
)
def test_event_that_is_kept_in_a_string_is_unwrapped(kept: bytes, own: bytes) -> None:
    assert json_text.unwrapped(kept) == own
