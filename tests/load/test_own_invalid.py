"""Bodies of a target's own that must be refused: a list or a strategy beside the manifest (event.invalid)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shaketable.errors import ManifestError
from shaketable.event.table import EventTable
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect, Shape
from tests.load.test_own_shapes import SMALL, of
from tests.support.cases import nightly

GIVEN = """
from hypothesis import strategies as st
invalid = [{"id": "{id}", "n": 0}, {}, "{", b"\\xff{id}", {"id": "{id}", "n": 1e300}]
drawn = st.fixed_dictionaries({"id": st.just("{id}"), "n": st.integers(max_value=-1)})
nothing, word, odd, mute = [], "x", [{1}], st.builds(lambda: 1 / 0)
"""


def with_given(folder: Path, name: str) -> list[Shape]:
    (folder / "bad.py").write_text(GIVEN)
    return of(folder, SMALL, invalid=f"bad.py:{name}")


def test_own_invalid_bodies_replace_the_derived_ones(tmp_path: Path) -> None:
    refused = [shape for shape in with_given(tmp_path, "invalid") if shape.expect is Expect.REFUSE]
    assert [shape.wire("7") for shape in refused] == [
        b'{"id":"7","n":0}',
        b"{}",
        b"{",
        b"\xff7",
        b'{"id":"7","n":1E+300}',
    ]
    either = {shape.why for shape in with_given(tmp_path, "invalid") if shape.expect is Expect.EITHER}
    assert "a name twice with the same value" in either  # for that, no law says which is right


def test_id_in_an_own_invalid_body_is_an_integer_if_ids_are(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("invalid = [{'id': '{id}', '{id}': 'x{id}'}, '{\"id\": \"{id}\"}']")
    schema = {**SMALL, "properties": {**SMALL["properties"], "id": {"type": "integer"}}}
    shapes = of(tmp_path, schema, invalid="bad.py:invalid", id_format="integer")
    refused = [shape.wire("7") for shape in shapes if shape.expect is Expect.REFUSE]
    assert refused == [b'{"id":7,"7":"x7"}', b'{"id": "7"}']  # text is sent as it is


def test_shapes_are_made_anew_when_a_module_beside_their_file_has_changed(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("from totals_of_mine import invalid")
    (tmp_path / "s.json").write_text(json.dumps(SMALL))
    own, found = OwnShapes(EventTable(id="/id", schema="s.json", invalid="bad.py:invalid"), tmp_path), []
    for total in (1, 2, 2):
        (tmp_path / "totals_of_mine.py").write_text(f"invalid = [{{'total': {total}}}]")
        found.append(own.sources)
    assert found[0] != found[1] == found[2]


@pytest.mark.slow
def test_own_invalid_bodies_are_drawn_from_a_strategy(tmp_path: Path) -> None:
    refused = [json.loads(s.wire("7")) for s in with_given(tmp_path, "drawn") if s.expect is Expect.REFUSE]
    assert len(refused) > 10
    assert all(each["id"] == "7" and each["n"] < 0 for each in refused)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nothing", "expected 1 to 200 bodies in bad.py:nothing .event.invalid., got 0"),
        nightly(("word", "to be a list of bodies or a Hypothesis strategy, got a str")),
        ("odd", "expected JSON, got a set: give JSON values"),
        nightly(("mute", "raised ZeroDivisionError while a body was drawn")),
        nightly(("absent", "to hold absent .event.invalid., got none")),
    ],
)
def test_own_invalid_bodies_that_are_none_are_explained(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        with_given(tmp_path, name)
