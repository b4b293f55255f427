"""Read and validate an order, without losing a digit of its amounts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

_VALIDATOR = Draft202012Validator(json.loads((Path(__file__).parent / "order.schema.json").read_text(encoding="utf-8")))


class Refused(Exception):
    """The order violates the schema, or cannot be stored exactly."""


def accepted(body: bytes) -> dict[str, Any]:
    """The order of a request. Raises Refused with a reason that names the member."""
    try:
        order = json.loads(body.decode(), parse_float=Decimal, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(order, ensure_ascii=False, default=str).encode()  # raises for a lone surrogate
    except (ValueError, ArithmeticError, RecursionError) as e:
        raise Refused(f"no JSON: {type(e).__name__}") from e
    if error := next(_VALIDATOR.iter_errors(order), None):
        raise Refused(f"/{'/'.join(map(str, error.absolute_path))}: {error.validator}")
    if _has_nul(order):
        raise Refused("NUL cannot be stored")
    try:
        created_at(order)
    except ValueError as e:
        raise Refused("/createdAt: format") from e
    return dict(order)


def stored(text: str) -> dict[str, Any]:
    """An order from the queue; every number is exact."""
    return dict(json.loads(text, parse_float=Decimal, parse_int=Decimal))


def created_at(order: dict[str, Any]) -> datetime:
    """The instant in UTC. Raises ValueError without an offset."""
    at = datetime.fromisoformat(order["createdAt"])
    if at.tzinfo is None:
        raise ValueError("no offset")
    return at.astimezone(UTC)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _no_number(text: str) -> None:
    raise ValueError(text)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in name or _has_nul(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))
