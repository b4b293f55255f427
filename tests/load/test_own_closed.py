"""Events hold only members that their schema names, also where the parts of an allOf, oneOf or if name them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shaketable.event.table import EventTable
from shaketable.load.mix import Mix
from shaketable.load.mix.own.closed import closed
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect
from tests.load.test_own_shapes import DAY

TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def record(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


CARD = record(["kind", "card"], kind={"const": "card"}, card=record(["number"], number=TEXT))
IBAN = record(["kind", "iban"], kind={"const": "iban"}, iban=TEXT)
BASE = record(["id"], id=TEXT, at=NUMBER)
KINDS = {"$defs": {"card": CARD, "iban": IBAN, "base": BASE}}
CHOICE = {"oneOf": [{"$ref": "#/$defs/card"}, {"$ref": "#/$defs/iban"}]}
#: Schemas, with the sets of names that an event may have: of each choice its own ones.
SCHEMAS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "required choices": (
        {**record(["id"], id=TEXT, a=TEXT, b=TEXT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
        ["id a b"],
    ),
    "a condition": (
        {
            **record(["id", "n"], id=TEXT, n=NUMBER),
            "if": {"properties": {"n": {"const": 0}}},
            "then": record(["x"], x=TEXT),
        },
        ["id n x"],
    ),
    "a definition in an allOf": ({"allOf": [{"$ref": "#/$defs/base"}, record(["n"], n=NUMBER)], **KINDS}, ["id at n"]),
    "a definition beside members": ({"$ref": "#/$defs/base", **record(["n"], n=NUMBER), **KINDS}, ["id at n"]),
    "kinds": (
        {"allOf": [{"$ref": "#/$defs/base"}], **CHOICE, **KINDS},
        ["id at kind card", "id at kind iban", "number"],
    ),
    "a value of kinds": (
        {**record(["id", "paid"], id=TEXT, paid={"anyOf": [CHOICE, {"type": "null"}]}), **KINDS},
        ["id paid", "kind card", "kind iban", "number"],
    ),
    "a part of a value": (
        {
            **record(["id", "by"], id=TEXT, by=record(["a"], a=TEXT)),
            "allOf": [{"properties": {"by": record(["b"], b=NUMBER)}}],
        },
        ["id by", "a b"],
    ),
}


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(each)


@pytest.mark.parametrize(("schema", "names"), SCHEMAS.values(), ids=SCHEMAS)
def test_events_have_named_members_only_and_satisfy_their_schema(
    schema: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    (tmp_path / "s.json").write_text(json.dumps(schema))
    shapes = OwnShapes(EventTable(id="/id", schema="s.json"), tmp_path).corpus(Mix(shapes=40), 1, DAY, tmp_path)
    events = [json.loads(shape.wire("x")) for shape in shapes if shape.expect is Expect.ACCEPT]
    allowed = Draft202012Validator(schema)
    assert [each for each in events if not allowed.is_valid(each)] == []
    sets = [set(each.split()) for each in names]
    found = [{*each} for event in events for each in objects(event)]
    assert [each for each in found if not any(each <= may for may in sets)] == []
    assert [may for may in sets if may not in found] in ([], [{"id", "a", "b"}])  # each choice is drawn in full


@pytest.mark.parametrize(
    "schema",
    [
        {**record([], a=TEXT), "oneOf": [{"additionalProperties": True}]},
        {**record([], a=TEXT), "allOf": [{"patternProperties": {"^x": {}}}]},
        {"$defs": {"more": {"allOf": [{"$ref": "#/$defs/more"}]}}, "allOf": [{"$ref": "#/$defs/more"}], **record([])},
        {"anyOf": [TEXT, NUMBER], "not": record([], a=TEXT)},
    ],
)
def test_object_stays_open_where_a_part_speaks_of_other_members(schema: dict[str, Any]) -> None:
    assert "additionalProperties" not in closed(schema)
