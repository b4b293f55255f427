"""`shaketable explain`."""

from __future__ import annotations

import inspect

from shaketable.checks import CHECKS
from shaketable.errors import InputError


def explain(name: str) -> int:
    """Print the law of one check, or of all. Raises InputError for a name that nobody knows."""
    kinds = CHECKS.kinds()
    if name and name not in kinds:
        raise InputError(f"expected a check, one of {', '.join(kinds)}: got {name!r}")
    print("\n\n".join(law(each) for each in ([name] if name else kinds)))
    return 0


def law(name: str) -> str:
    """A check's name and docstring, which is its law, with its budgets and their defaults."""
    kind = CHECKS.kinds()[name]
    budgets = [f"{field.name} = {field.default}" for field in kind.__dataclass_fields__.values()]
    told = f"\n\nBudgets: {', '.join(budgets)}." if budgets else ""
    return f"{name}\n{'-' * len(name)}\n{inspect.getdoc(kind)}{told}"
