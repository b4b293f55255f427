"""A target's own events: drawn from its schema, hostile where the schema allows it, and malformed where it does not."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from shaketable.errors import ManifestError
from shaketable.event import kinds
from shaketable.event.table import EventTable
from shaketable.load.mix import Mix, drawing
from shaketable.load.mix.own import compatibility
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.schedule import Load, body, schedule

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 29)
ORDERS = EventTable(
    id="/order/id",
    schema="order.schema.json",
    id_format="ORD-{uuid}",
    order_by="/customer/id",
    instants=("/createdAt",),
)
SERVICE = ROOT / "alternatives" / "order_service"
SMALL: dict[str, Any] = {
    "type": "object",
    "required": ["id", "n"],
    "properties": {"id": {"type": "string"}, "n": {"type": "integer"}, "t": {"type": "string", "maxLength": 40}},
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> list[Shape]:
    return OwnShapes(ORDERS, SERVICE).corpus(Mix(shapes=150), 1, DAY, tmp_path_factory.mktemp("cache"))


def of(folder: Path, schema: Any, shapes: int = 20, **more: Any) -> list[Shape]:
    (folder / "s.json").write_text(json.dumps(schema))
    table = EventTable(**{"id": "/id", "schema": "s.json", **more})
    return OwnShapes(table, folder).corpus(Mix(shapes=shapes), 1, DAY, folder / "cache")


def good(shapes: list[Shape]) -> Iterator[dict[str, Any]]:
    for shape in shapes:
        if shape.expect is Expect.ACCEPT:
            yield json.loads(shape.wire("ORD-0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77", shape.order))


@pytest.mark.slow
def test_every_shape_to_accept_satisfies_the_schema_and_has_the_id_and_the_order(shapes: list[Shape]) -> None:
    allowed = Draft202012Validator(json.loads((SERVICE / "order.schema.json").read_text()))
    bodies = list(good(shapes))
    assert len(bodies) == 150
    assert [error.message for each in bodies for error in allowed.iter_errors(each)] == []
    assert {each["order"]["id"] for each in bodies} == {"ORD-0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"}
    assert len({each["customer"]["id"] for each in bodies}) == 55  # of the mix: 5 ordered and 50 others


@pytest.mark.slow
def test_every_shape_to_refuse_violates_the_schema(shapes: list[Shape]) -> None:
    allowed = Draft202012Validator(json.loads((SERVICE / "order.schema.json").read_text()))
    refused = [shape for shape in shapes if shape.expect is Expect.REFUSE]
    assert len(refused) > 50
    for shape in refused:
        try:
            sent = json.loads(shape.wire("ORD-0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77").decode())
        except ValueError:
            continue
        assert not allowed.is_valid(sent), shape.why


def test_hostile_values_are_there_as_far_as_the_schema_allows_them(shapes: list[Shape]) -> None:
    why = {shape.why for shape in shapes if shape.expect is Expect.ACCEPT}
    assert why >= {"many decimals", "many digits", "trailing zero", "256 items", "NFC", "NFD", "right to left"}
    assert why >= {"beyond the BMP", "2000 characters beyond the BMP", "deep nesting", "an empty object", "empty"}
    texts = [shape.text or "" for shape in shapes]
    assert any("0.1234567890123456789012345" in text for text in texts)  # every digit of it
    assert not any('"quantity":0.' in text for text, s in zip(texts, shapes, strict=True) if s.expect is Expect.ACCEPT)
    either = {shape.why.rpartition(": ")[2] for shape in shapes if shape.expect is Expect.EITHER}
    assert either >= {"NUL in text", "a lone surrogate", "a name twice with the same value"}


#: A member of every type, each as free as a schema can say.
ANY: dict[str, Any] = {
    "type": "object",
    "required": ["id", "i", "n", "t", "l", "o"],
    "properties": {
        "id": {"type": "string"},
        "i": {"type": "integer"},
        "n": {"type": "number"},
        "t": {"type": "string", "maxLength": 77},
        "l": {"type": "array", "items": {"type": "integer"}},
        "o": {"type": "object", "additionalProperties": True},
        "any": {},
    },
}
#: What every schema that allows it gets: numbers, texts, Unicode forms, nesting, containers, duplicate names.
PROMISED = {
    "numbers": {"beyond 2^53", "beyond -2^53", "2^63 - 1", "many decimals", "many digits", "-0", "0"},
    "exponents": {"a large exponent", "a small exponent", "the largest double", "the smallest double"},
    "lengths": {"empty", "the longest text", "the longest text beyond the BMP"},
    "unicode": {"NFC", "NFD", "right to left", "beyond the BMP"},
    "nesting": {"deep nesting", "a deep undeclared member"},
    "containers": {"no items", "an empty object", "255 items", "256 items"},
}


@pytest.fixture(scope="module")
def of_any(tmp_path_factory: pytest.TempPathFactory) -> list[Shape]:
    return of(tmp_path_factory.mktemp("any"), ANY, 140)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROMISED)
def test_any_schema_gets_every_kind_of_hostile_value(kind: str, of_any: list[Shape]) -> None:
    assert PROMISED[kind] - {shape.why for shape in of_any if shape.expect is Expect.ACCEPT} == set()


@pytest.mark.slow
def test_any_schema_gets_names_that_occur_twice(of_any: list[Shape]) -> None:
    twice = {shape.why: shape for shape in of_any if shape.why.startswith("a name twice")}
    assert {why: shape.expect for why, shape in twice.items()} == {
        "a name twice with the same value": Expect.EITHER,
        "a name twice with null first": Expect.EITHER,
    }
    for shape in twice.values():
        pairs = json.loads(shape.wire("x"), object_pairs_hook=list)
        assert len(pairs) > len(dict(pairs))
        assert dict(pairs)["id"] == "x"  # the last one is the event


def test_texts_are_as_long_as_the_limit_of_their_schema_and_one_longer(of_any: list[Shape]) -> None:
    lengths = {
        (shape.why, len(json.loads(shape.wire("x"))["t"])) for shape in of_any if "long" in shape.why and shape.text
    }
    assert {("the longest text", 77), ("/t is one character too long", 78)} <= lengths


def test_nfc_and_nfd_are_the_same_text_to_a_reader(of_any: list[Shape]) -> None:
    texts = {why: next(json.loads(s.wire("x"))["t"] for s in of_any if s.why == why) for why in ("NFC", "NFD")}
    assert texts["NFC"] != texts["NFD"]
    assert unicodedata.normalize("NFC", texts["NFD"]) == texts["NFC"]


def test_same_seed_gives_the_same_shapes_without_the_cache(tmp_path: Path) -> None:
    one, other = of(tmp_path, SMALL), OwnShapes(EventTable(id="/id", schema="s.json"), tmp_path)
    assert other.corpus(Mix(shapes=20), 1, DAY, tmp_path / "another cache") == one
    assert other.corpus(Mix(shapes=20), 1, DAY, tmp_path / "cache") == one


def test_strategies_that_are_built_once_draw_what_those_built_anew_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = of(tmp_path, SMALL)
    monkeypatch.setattr(compatibility, "_Memory", lambda: compatibility._built_anew)
    (tmp_path / "anew").mkdir()
    assert of(tmp_path / "anew", SMALL) == drawn


def test_schedule_writes_ids_and_orders_into_the_bodies(shapes: list[Shape]) -> None:
    planned = schedule(Load(rate=50), Mix(ordered=0.5), shapes, 3, "ORD-{uuid}")
    kind, stored = kinds.of(ORDERS), 0
    for each in planned:
        if each.expect is Expect.ACCEPT:
            sent, stored = kind.parse(body(each, shapes[each.shape])), stored + 1
            assert sent["order"]["id"] == each.event_id
            assert (
                each.organization is None or msgspec.json.encode(sent["customer"]["id"]).decode() == each.organization
            )
    assert stored > 1_000
    assert len({each.organization for each in planned if each.ordered}) == 5


def test_integers_are_written_as_numbers(tmp_path: Path) -> None:
    schema = {**SMALL, "properties": {**SMALL["properties"], "id": {"type": "integer"}}}
    shape = next(iter(of(tmp_path, schema, id_format="integer")))
    assert json.loads(shape.wire("12"))["id"] == 12


@pytest.mark.slow
def test_undeclared_members_are_drawn_only_where_the_schema_speaks_of_them(tmp_path: Path) -> None:
    drawn = [shape for shape in of(tmp_path, SMALL, 60) if shape.expect is Expect.ACCEPT]
    assert {name for shape in drawn for name in json.loads(shape.wire("a"))} == {"id", "n", "t"}
    open_ = of(tmp_path, {**SMALL, "additionalProperties": True}, 60)
    assert "an undeclared member" in {shape.why for shape in open_ if shape.expect is Expect.ACCEPT}
    shut = of(tmp_path, {**SMALL, "additionalProperties": False}, 60)
    assert "an undeclared member in the event" in {shape.why for shape in shut if shape.expect is Expect.REFUSE}


def test_strategy_beside_the_manifest_is_drawn_from(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from hypothesis import strategies as st\n"
        "events = st.fixed_dictionaries({'head': st.just({}), 'n': st.integers(), 'who': st.sampled_from('abc')})\n"
    )
    table = EventTable(id="/head/id", strategy="own.py:events", order_by="/who")
    found = OwnShapes(table, tmp_path).corpus(Mix(shapes=10), 1, DAY, tmp_path / "cache")
    accepted = [json.loads(shape.wire("x", shape.order)) for shape in found if shape.expect is Expect.ACCEPT]
    assert len(accepted) == 10
    assert all(each["head"]["id"] == "x" and each["who"] in "abc" for each in accepted)


def nested(depth: int) -> dict[str, Any]:
    return {"allOf": [nested(depth - 1)]} if depth else {}


#: Deeper than a validator descends, and not deeper than a parser of JSON does.
NESTED = nested(400)


@pytest.mark.parametrize(
    ("schema", "more", "told"),
    [
        (False, {}, "expected a JSON object, got a bool"),
        ({"type": "objekt"}, {}, "objekt.* expected a JSON Schema"),
        ({"type": "array"}, {}, "to give JSON objects, got a list"),
        ({"type": "object", "minProperties": 3, "maxProperties": 2}, {}, "cannot be drawn from"),
        ({"$ref": "#"}, {}, "a reference is recursive or leads elsewhere: name a strategy instead"),
        ({"$ref": "https://example.org/x"}, {}, "a reference is recursive or leads elsewhere"),
        ({**SMALL, "properties": {"id": {"type": "string", "format": "iban"}}}, {}, "no text of the format 'iban'"),
        (NESTED, {}, "is nested too deeply: name a strategy instead"),
        (SMALL, {"id": "/order/id"}, "event.id '/order/id' leads nowhere: .* the first has"),
        (SMALL, {"order_by": "/customer"}, "event.order_by '/customer' leads nowhere"),
        (SMALL, {"id_format": "integer"}, "no event with an id of the format 'integer' at /id satisfies"),
    ],
)
def test_schema_that_cannot_be_drawn_from_is_explained(tmp_path: Path, schema: Any, more: Any, told: str) -> None:
    with pytest.raises(ManifestError, match=told):
        of(tmp_path, schema, **more)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (None, "to name a Python file, got .*own.py: there is none"),
        ("1/0", "own.py raised ZeroDivisionError"),
        ("other = 1", "to hold events .event.strategy., got none"),
        ("import sys\nsys.exit(0)", "own.py:events ends the program with SystemExit: leave that out"),
        ("raise KeyboardInterrupt", "own.py:events ends the program with KeyboardInterrupt"),
        (
            "import sys\nfrom hypothesis import strategies as st\nevents = st.builds(sys.exit)",
            "ends the program with SystemExit",
        ),
        ("from hypothesis import strategies as st\nevents = st.just({'a': float('nan')})", "JSON, got the number nan"),
        ("events = [1]", "to be a Hypothesis strategy of objects, got a list"),
        ("from hypothesis import strategies as st\nevents = st.integers()", "to give JSON objects, got a int"),
        ("from hypothesis import strategies as st\nevents = st.nothing()", "cannot be drawn from"),
        ("from hypothesis import strategies as st\nevents = st.just({'a': {1}})", "expected JSON, got a set"),
        (
            "from hypothesis import strategies as st\nevents = st.builds(lambda: 1 / 0)",
            "raised ZeroDivisionError while",
        ),
    ],
)
def test_strategy_that_cannot_be_drawn_from_is_explained(tmp_path: Path, code: str | None, told: str) -> None:
    if code is not None:
        (tmp_path / "own.py").write_text(code)
    with pytest.raises(ManifestError, match=told):
        OwnShapes(EventTable(id="/id", strategy="own.py:events"), tmp_path).corpus(Mix(shapes=5), 1, DAY, tmp_path)


def test_number_that_cannot_be_compared_with_the_schema_leaves_its_event_out(tmp_path: Path) -> None:
    schema = {**SMALL, "properties": {**SMALL["properties"], "rate": {"type": "number", "multipleOf": 1e-300}}}
    assert of(tmp_path, schema)


WAITS = {
    "the file": "import time\ntime.sleep(60)",
    "the strategy": "import time\nfrom hypothesis import strategies as st\nevents = st.builds(time.sleep, st.just(60))",
}


@pytest.mark.parametrize("code", WAITS.values(), ids=WAITS)
def test_strategy_that_never_returns_is_given_up(tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "DRAW_S", 0.5)
    (tmp_path / "own.py").write_text(code)
    with pytest.raises(ManifestError, match=r"own.py:events was not done within 0.5 s: .* Make it simpler") as raised:
        OwnShapes(EventTable(id="/id", strategy="own.py:events"), tmp_path).corpus(Mix(shapes=5), 1, DAY, tmp_path)
    assert raised.value.exit_code == 254
