"""The canonical form is RFC 8785's, and equal values have equal hashes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reference_impl.event import event, i_json
from tests.reference_impl.conftest import NOW, wire


@pytest.mark.parametrize(
    ("double", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992, "9007199254740992"),
        (-9007199254740992, "-9007199254740992"),
        (2**68, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (999999999999999700000.0, "999999999999999700000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-5, "0.000015"),
        (333333333.3333332, "333333333.3333332"),
        (4.5, "4.5"),
        (2e-3, "0.002"),
        (1.0, "1"),
        (10**30, "1e+30"),
    ],
)
def test_numbers_are_printed_as_ecmascript_does(double: float, text: str) -> None:
    assert i_json.canonical({"n": double, "m": [double]}).decode() == f'{{"m":[{text}],"n":{text}}}'


def test_the_example_of_the_rfc() -> None:
    value = json.loads(
        r'{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],'
        r'"string":"\u20ac$\u000F\u000aA\u0027\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}'
    )
    assert i_json.canonical(value).decode() == (
        r'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        r'"string":"€$\u000f\nA' + "'" + r'B\"\\\\\"/"}'
    )


def test_names_are_sorted_by_utf16_code_units() -> None:
    assert i_json.canonical({"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3}).decode() == '{"€":3,"😀":2,"\ufb33":1}'


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=10,
)


@pytest.mark.slow
@hypothesis_settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values))
def test_the_quick_form_is_the_canonical_form(value: dict[str, Any]) -> None:
    assert i_json.canonical(value) == rfc8785.dumps(_doubles(value))


@hypothesis_settings(max_examples=60, deadline=None)
@given(json_values)
def test_canonical_json_reads_back_as_the_same_values(value: Any) -> None:
    assert _doubles(json.loads(i_json.canonical(value))) == _doubles(value)


def _doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _doubles(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return list(map(_doubles, value))
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_equal_events_have_equal_hashes() -> None:
    name = "0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
    one = event.accept(wire(eventId=name, timestamp="2026-11-23T10:00:00Z", n=1, ttl=5), NOW, 32)
    same = event.accept(
        wire(ttl=5.0, n=1.0, extra=None, eventId=name.upper(), timestamp="2026-11-23T11:00:00.0000009+01:00"), NOW, 32
    )
    other = event.accept(wire(eventId=name, timestamp="2026-11-23T10:00:00Z", n=2, ttl=5), NOW, 32)
    assert one.hash == same.hash != other.hash


@pytest.mark.parametrize("number", [2**60 + 1, 1e-7, -1e22, 10**50, 1.5, 1.0])
def test_a_number_in_a_large_value_is_canonical_too(number: float) -> None:
    value = {"a": "x" * i_json.PIECE_BYTES, "b": [number]}
    assert i_json.canonical(value) == rfc8785.dumps(_doubles(value))
