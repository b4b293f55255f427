"""The values by which a target's own events are ordered fit every event into which the harness writes them."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shaketable.event.table import EventTable
from shaketable.load.mix import Mix
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.own.orders import Orders
from shaketable.load.mix.own.schema import Schema
from shaketable.load.mix.shape import Expect
from tests.load.test_own_shapes import DAY


def union(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Events of two kinds with different keys."""
    return {
        "type": "object",
        "required": ["id", "kind", "key"],
        "additionalProperties": False,
        "properties": {"id": {"type": "string"}, "kind": {"enum": ["a", "b"]}, "key": {}},
        "oneOf": [
            {"properties": {"kind": {"const": "a"}, "key": one}},
            {"properties": {"kind": {"const": "b"}, "key": other}},
        ],
    }


UNIONS = {
    "types": union({"type": "string"}, {"type": "integer"}),
    "lengths": union({"type": "string", "minLength": 1}, {"type": "string", "maxLength": 4}),
    "choices": union({"enum": ["x", "y", "z"]}, {"enum": ["y", "z", 7]}),
    "nothing in common": union({"enum": ["x", "y"]}, {"enum": [1, 2]}),
}


@pytest.mark.parametrize("schema", UNIONS.values(), ids=UNIONS)
def test_ordered_event_satisfies_its_schema_with_any_of_the_values(schema: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(schema))
    table = EventTable(id="/id", schema="s.json", order_by="/key")
    shapes = OwnShapes(table, tmp_path).corpus(Mix(shapes=30), 1, DAY, tmp_path / "cache")
    good = [shape for shape in shapes if shape.expect is Expect.ACCEPT]
    ordered = [shape for shape in good if shape.order is not None]
    values = {shape.order for shape in ordered}
    sent = [json.loads(shape.wire("x", value)) for shape, value in product(ordered, values)]
    sent += [json.loads(shape.wire("x")) for shape in good if shape.order is None]
    allowed = Draft202012Validator(schema)
    assert [each for each in sent if not allowed.is_valid(each)] == []
    assert len(ordered) > 3


def chosen(folder: Path, schema: dict[str, Any], bodies: list[Any], count: int = 3) -> Orders:
    (folder / "s.json").write_text(json.dumps(schema))
    return Orders("/key", Schema(folder / "s.json")).chosen(bodies, count)


BODIES: list[Any] = [{"id": "x", "kind": "a", "key": "y"}, {"id": "x", "kind": "a", "key": "x"}]
BODIES += [{"id": "x", "kind": "b", "key": key} for key in (7, "z", "y")]


def test_values_are_readable_where_they_fit_every_event(tmp_path: Path) -> None:
    free = union({"type": "string"}, {"type": "string"})
    assert chosen(tmp_path, free, BODIES).values == ["order-1", "order-2", "order-3"]
    numbers = union({"type": "integer"}, {"type": "number"})
    assert chosen(tmp_path, numbers, BODIES).values == [1, 2, 3]


def test_values_are_else_those_that_fit_the_most_drawn_events(tmp_path: Path) -> None:
    orders = chosen(tmp_path, UNIONS["choices"], BODIES)
    assert list(orders.values) == ["y", "z"]
    assert all(orders.fit(body) for body in BODIES)
    orders = chosen(tmp_path, union({"enum": ["x", "y"]}, {"enum": [7, 8, "z"]}), BODIES)
    assert list(orders.values) == [7, "z"]  # three events have the kind b, and two the kind a
    assert [orders.fit(body) for body in BODIES] == [False, False, True, True, True]
