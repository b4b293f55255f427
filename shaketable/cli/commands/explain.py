"""`shaketable explain`."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

from shaketable import rundir
from shaketable.checks import CHECKS
from shaketable.checks.budget import COMMON
from shaketable.checks.event_trace import lives
from shaketable.errors import InputError
from shaketable.evidence.history import History
from shaketable.rundir import RunDir
from shaketable.text import visible


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
    budgets = [f"{field.name} = {field.default}" for field in fields(kind)]
    common = [f"{short} ({found.means})" for short, found in COMMON.items() if found.check == name]
    told = f"\n\nBudgets: {', '.join(budgets)}." if budgets else ""
    if budgets:
        told += f"\nFor one run: `--budget {name}.{fields(kind)[0].name}=…`"
        told += f", or by a name of its own: {'; '.join(common)}." if common else "."
    return f"{name}\n{'-' * len(name)}\n{inspect.getdoc(kind)}{told}"


def life(run_dir: Path, event_id: str) -> int:
    """Print what became of one event of a run. Raises InputError for an id that its schedule lacks."""
    run = rundir.find(run_dir)
    with rundir.judging(run.path):
        return _life(run, event_id)


def _life(run: RunDir, event_id: str) -> int:
    history = History.load(run)
    known = [] if history.events is None else history.events.index[history.events.event_id == event_id.lower()].tolist()
    if not known:
        raise InputError(f"expected an event of {run.path}, got {event_id!r}: its schedule.jsonl has no such id")
    (found,) = lives(history, known)
    for line in [*found.story, f"last seen: {found.last_seen}", *(f"meanwhile: {each}" for each in found.meanwhile)]:
        print(visible(line))
    return 0
