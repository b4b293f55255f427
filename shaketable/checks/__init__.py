"""The catalogue of checks: one file each, one line each here; packages may add theirs by the entry point below."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from shaketable.check import Check
from shaketable.checks.no_duplicates import NoDuplicates
from shaketable.checks.no_loss import NoLoss
from shaketable.checks.nothing_invented import NothingInvented
from shaketable.checks.order_kept import OrderKept
from shaketable.errors import InputError
from shaketable.registry import Registry

#: Checks by name. Other packages register theirs under the entry point group of this name.
CHECKS: Registry[Check] = Registry(
    "shaketable.checks",
    "check",
    [
        NoLoss,
        NoDuplicates,
        NothingInvented,
        OrderKept,
    ],
    key="name",
)


def from_spec(spec: dict[str, Any]) -> Check:
    """The check of `{"name": "no_loss", …budgets}`. Raises InputError for a name or budget that nobody knows."""
    kind = CHECKS.kinds().get(str(spec.get("name")))
    if kind is not None:
        known = {field.name for field in fields(kind)}
        if odd := sorted(spec.keys() - known - {"name"}):
            raise InputError(f"check {spec['name']} has no budget {odd[0]!r}: it knows {', '.join(known) or 'none'}")
    return CHECKS.from_spec(spec)


def to_spec(check: Check) -> dict[str, Any]:
    """A check as JSON-able data, such as scenario.json holds."""
    return CHECKS.to_spec(check)


__all__ = ["CHECKS", "NoDuplicates", "NoLoss", "NothingInvented", "OrderKept", "from_spec", "to_spec"]
