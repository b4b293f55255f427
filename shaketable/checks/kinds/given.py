"""Budgets that the user gave in place of the scenario's: they hold as they are, on whatever target."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shaketable.checks.check import Check
    from shaketable.evidence.history import History


def given(check: Check, history: History) -> set[str]:
    """The fields of the check that a budget of the user's own sets, by the budget's name or as CHECK.FIELD."""
    named, fields = getattr(type(check), "budgets", {}), set[str]()
    for name in (text.partition("=")[0] for text in history.scenario.budgets):
        owner, _, field = name.partition(".")
        fields |= {field} if owner == check.name else set()
        fields |= {*named[name].fields, *named[name].implied} if name in named else set()
    return fields
