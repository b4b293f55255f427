"""A shape as text: JSON with placeholders for the id and for the value by which events are ordered."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import msgspec

from shaketable.event import ids, pointer
from shaketable.event.table import EventTable
from shaketable.load.mix.shape import EVENT_ID, ORDER

_encode = msgspec.json.Encoder(decimal_format="number").encode


def exact(value: Any) -> Any:
    """The value with floats and large integers as decimals, which keep every digit. Raises TypeError unless JSON."""
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise TypeError(f"expected JSON, got the number {value}")
    if isinstance(value, bool | str | Decimal) or value is None:
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, int):
        return value if abs(value) < 2**63 else Decimal(value)
    if isinstance(value, dict):
        return {str(name): exact(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [exact(inner) for inner in value]
    raise TypeError(f"expected JSON, got a {type(value).__name__}")


def encoded(value: Any) -> str:
    """JSON, every digit of a number as it is."""
    return _encode(value).decode()


def sample_id(table: EventTable) -> Any:
    """An id of the format, which stands in an event while it is compared with the schema."""
    made = ids.maker(table.id_format)(random.Random(0), 0)
    return int(made) if table.id_format == "integer" else made


def with_id(body: Any, table: EventTable) -> Any:
    """The body with a sample id. Raises LookupError if it has no place for one."""
    return pointer.replaced(body, pointer.steps(table.place), sample_id(table))


def text(body: Any, table: EventTable, *, ordered: bool) -> str:
    """The body as a shape's text. Raises LookupError if it has no place for the id."""
    body = pointer.replaced(body, pointer.steps(table.place), EVENT_ID.decode())
    if ordered and table.order_by:
        body = pointer.replaced(body, pointer.steps(table.order_by), ORDER.decode())
    return placed(encoded(body), table)


def placed(written: str, table: EventTable) -> str:
    """JSON text with its placeholders unquoted where they stand for JSON values rather than for text."""
    written = written.replace(f'"{ORDER.decode()}"', ORDER.decode())
    return written.replace(f'"{EVENT_ID.decode()}"', EVENT_ID.decode()) if table.id_format == "integer" else written
