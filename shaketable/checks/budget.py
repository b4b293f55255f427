"""Budgets by name: `recovery_s=10` in place of the limits of a scenario's checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from shaketable.checks import CHECKS
from shaketable.checks.check import Budget
from shaketable.errors import InputError

#: A check as data, as scenario.json holds it.
Spec = dict[str, Any]


@dataclass(frozen=True)
class NamedBudget(Budget):
    """A budget, and the name of its check."""

    check: str = ""


def common() -> dict[str, NamedBudget]:
    """The budgets that checks name, by name."""
    return {
        name: NamedBudget(found.fields, found.per, found.implied, found.means, check)
        for check, kind in CHECKS.kinds().items()
        for name, found in getattr(kind, "budgets", {}).items()
    }


def known() -> dict[str, NamedBudget]:
    """Every budget by name: those that checks name, then each field of each check as CHECK.FIELD."""
    own = {
        f"{name}.{each.name}": NamedBudget((each.name,), check=name)
        for name, kind in CHECKS.kinds().items()
        for each in fields(kind)
    }
    return common() | own


def parse(texts: Sequence[str]) -> list[tuple[str, float]]:
    """NAME=VALUE each. Raises InputError for another form, an unknown name, a number below 0, a share not in (0, 1]."""
    return [_parsed(text) for text in texts]


def _parsed(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"expected a budget as NAME=VALUE, such as recovery_s=10: got {text!r}")
    if name not in (names := known()):
        raise InputError(f"expected a budget, one of {', '.join(names)}: got {name!r}")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise InputError(f"expected a number of 0 or more for the budget {name}, got {value!r}")
    if any(each.endswith("share") for each in names[name].fields) and not 0 < number <= 1:
        raise InputError(f"expected a share above 0 and at most 1 for the budget {name}, got {value!r}")
    return name, number


def apply(scenarios: Sequence[Sequence[Spec]], asked: Sequence[tuple[str, float]]) -> list[list[Spec]]:
    """The checks of each scenario under these budgets, where it names their checks; of two of a name the last holds.

    Raises InputError for a budget whose check none of the scenarios names: it would judge nothing.
    """
    names = known()
    for name, _ in asked:
        if not any(spec["name"] == names[name].check for specs in scenarios for spec in specs):
            raise InputError(f"the budget {name} is of {names[name].check}, which no scenario that is asked for names")
    return [[_under(spec, asked) for spec in specs] for specs in scenarios]


def _under(spec: Spec, asked: Sequence[tuple[str, float]]) -> Spec:
    for name, value in asked:
        budget = known()[name]
        if spec["name"] == budget.check:
            spec = spec | {each: _whole(value / budget.per) for each in budget.fields} | dict(budget.implied)
    return CHECKS.to_spec(CHECKS.from_spec(spec))  # raises for a value that does not fit


def _whole(value: float) -> float:
    """An integer where it is one: some budgets are counts."""
    return int(value) if value.is_integer() else value
