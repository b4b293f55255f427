"""Derive events that a target should refuse: bodies that are no JSON object, or do not satisfy the schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from shaketable.event import pointer
from shaketable.event.table import EventTable
from shaketable.load.mix.own import hostile_values, template
from shaketable.load.mix.shape import Expect, Shape

#: The most shapes derived from the schema; an event may have very many members.
MOST = 200
#: Bodies that are not a JSON object.
BODIES: tuple[tuple[str, bytes], ...] = (
    ("empty body", b""),
    ("a space", b" "),
    ("not JSON", b"hello"),
    ("single quotes", b"{'a':'x'}"),
    ("a form", b"a=x&b=y"),
    ("binary", bytes(range(256))),
)
#: Values of every JSON type, one of which is of a wrong type for a member.
_TYPES: tuple[tuple[str, Any], ...] = (
    ("a string", "x"),
    ("a number", 7),
    ("a fraction", Decimal("0.5")),
    ("true", True),
    ("null", None),
    ("an array", []),
    ("an object", {}),
)
#: Values outside most ranges.
_RANGES: tuple[tuple[str, Any], ...] = (
    ("a very small number", -(10**15)),
    ("a very large number", 10**15),
    ("an unknown text", "no such value"),
    ("an empty text", ""),
    ("a very long text", "x" * 20_000),
)
#: Stands in the JSON text for a literal that no encoder writes.
_LITERAL = "%LITERAL%"
#: Literals that a target refuses or stores exactly, by the type of the member.
_DOUBTFUL: dict[type, tuple[tuple[str, str], ...]] = {
    str: (("NUL in text", '"a\\u0000b"'), ("a lone surrogate", '"\\ud800"')),
    Decimal: (("1e400", "1e400"), ("beyond 64 bits", "9223372036854775808"), ("400 digits", "1" + "0" * 400)),
}


def shapes(body: Any, table: EventTable, allows: Callable[[Any], bool] | None) -> Iterator[Shape]:
    """Shapes derived from a good event. Without a schema (`allows`), only those that are wrong for any event."""
    good = template.text(body, table, ordered=False)
    for why, raw in (*BODIES, *_around(good)):
        yield _shape(Expect.REFUSE, why, raw)
    for why, text in _duplicates(body, good):
        yield _shape(Expect.EITHER, why, text.encode())
    if allows is not None:
        for number, (why, wrong) in enumerate(_wrong(body, allows)):
            if number == MOST:
                break
            yield _shape(Expect.REFUSE, why, _written(wrong, table).encode())
        yield from _doubtful(body, table, allows)


def _around(good: str) -> Iterator[tuple[str, bytes]]:
    for share in (0.25, 0.5, 0.9):
        yield f"cut off after {share:.0%}", good.encode()[: int(len(good.encode()) * share)]
    yield "without the last brace", good.encode()[:-1]
    yield "something behind the end", good.encode() + b"}"
    yield "no UTF-8", good.encode()[:-1] + b',"\xff\xfe":1}'
    for why, text in (("a string", '"event"'), ("a number", "42"), ("null", "null"), ("an array", f"[{good}]")):
        yield f"{why} as the whole body", text.encode()


def _duplicates(body: Any, good: str) -> Iterator[tuple[str, str]]:
    """A name twice: I-JSON forbids it, many parsers take the last."""
    yield "a name twice with the same value", f"{good[:-1]},{good[1:]}"
    yield "a name twice with null first", f"{{{json.dumps(next(iter(body)), ensure_ascii=False)}:null,{good[1:]}"


def _wrong(body: Any, allows: Callable[[Any], bool]) -> Iterator[tuple[str, Any]]:
    """Events that do not satisfy the schema, each with its reason."""
    for path, value in pointer.members(body):
        where = pointer.written(path)
        if isinstance(path[-1], str) and not allows(changed := pointer.removed(body, path)):
            yield f"no {where}", changed
        for why, new in (*_TYPES, *_RANGES, *_beyond(body, path, value, allows)):
            if new != value and not allows(changed := pointer.replaced(body, path, new)):
                yield f"{where} is {why}", changed
    for path, value in (((), body), *pointer.members(body)):
        if isinstance(value, dict) and not allows(
            changed := pointer.replaced(body, path, {**value, "undeclared": "x"})
        ):
            yield f"an undeclared member in {pointer.written(path) or 'the event'}", changed


def _beyond(body: Any, path: pointer.Path, value: Any, allows: Callable[[Any], bool]) -> Iterator[tuple[str, str]]:
    """A text that is one character too long."""
    fits = lambda text: allows(pointer.replaced(body, path, text))  # noqa: E731
    if isinstance(value, str) and (most := hostile_values.longest(fits)) is not None:
        yield "one character too long", "\u4e2d" * (most + 1)


def _doubtful(body: Any, table: EventTable, allows: Callable[[Any], bool]) -> Iterator[Shape]:
    """Literals that another parser may accept: refuse them or store them exactly."""
    for path, value in pointer.members(body):
        kind: type = str if isinstance(value, str) else Decimal
        free = {str: "free text", Decimal: Decimal("123456789012.5")}[kind]
        if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            if path == pointer.steps(table.place) or not allows(pointer.replaced(body, path, free)):
                continue
            text = _written(pointer.replaced(body, path, _LITERAL), table)
            for why, literal in _DOUBTFUL[kind]:
                where = f"{pointer.written(path)}: {why}"
                yield _shape(Expect.EITHER, where, text.replace(f'"{_LITERAL}"', literal).encode())


def _written(body: Any, table: EventTable) -> str:
    """The event as text; its id is the harness's, unless the id itself is what is wrong."""
    try:
        sample = pointer.find(body, pointer.steps(table.place))
    except LookupError:
        return template.encoded(body)
    if sample != template.sample_id(table):
        return template.encoded(body)
    return template.text(body, table, ordered=False)


def _shape(expect: Expect, why: str, raw: bytes) -> Shape:
    try:
        return Shape(0, expect, why, text=raw.decode())
    except UnicodeDecodeError:
        return Shape(0, expect, why, raw=raw)
