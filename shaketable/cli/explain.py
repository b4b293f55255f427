"""`shaketable explain`: the law of a check, a fault with its limits, or the trace of an event."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli.saved_run import LATEST
from shaketable.errors import InputError


def explain(
    check: Annotated[
        str,
        typer.Argument(
            metavar="[CHECK|FAULT|RUN_DIR]",
            help="A check or a fault; default: every check. With --event: a run directory.",
        ),
    ] = "",
    event: Annotated[
        str, typer.Option(help="Print the trace of this event instead.", metavar="EVENT_ID", show_default=False)
    ] = "",
    run_dir: Annotated[
        Path | None,
        typer.Option(
            "--run",
            help="The run of --event; `--event ID RUN_DIR` is the same.",
            metavar="RUN_DIR",
            show_default=str(LATEST),
        ),
    ] = None,
) -> int:
    """Print a check's law, terms, evidence and limits, or a fault and its limits; with --event, an event's trace."""
    if not event:
        if run_dir:
            raise InputError(f"expected --event beside --run, got --run {run_dir} only: add --event EVENT_ID")
        return explain_fault(check) if _is_fault(check) else explain_checks(check)
    if check and run_dir:
        raise InputError(f"expected one run directory, got {check} and --run {run_dir}: leave one out")
    return explain_event(run_dir or Path(check or LATEST), event)


def explain_checks(name: str) -> int:
    """Print the law of one check, or of all. Raises InputError for an unknown name."""
    from shaketable.checks import CHECKS

    kinds = CHECKS.kinds()
    if name and name not in kinds:
        raise InputError(f"expected a check, one of {', '.join(kinds)}, or a fault: got {name!r}")
    print("\n\n".join(law(each) for each in ([name] if name else kinds)))
    return 0


def _is_fault(name: str) -> bool:
    from shaketable.faults import FAULTS

    return name in FAULTS.kinds()


def explain_fault(name: str) -> int:
    """Print what a fault does, how its effect is witnessed, its fields and its limits."""
    from shaketable.faults import FAULTS

    kind = FAULTS.kinds()[name]
    told = f"{name}\n{'-' * len(name)}\n{inspect.getdoc(kind)}\n\nWitness: {inspect.getdoc(kind.witness)}"
    if found := [field.name for field in fields(kind)]:
        told += f"\n\nFields: {', '.join(found)}."
    limits = getattr(kind, "limits", "")
    print(f"{told}\n\nLimits: {limits}" if limits else told)
    return 0


def law(name: str) -> str:
    """A check's name and docstring, which is its law, with its budgets and their defaults."""
    from shaketable.checks import CHECKS
    from shaketable.checks.budget import common

    kind = CHECKS.kinds()[name]
    budgets = [f"{field.name} = {field.default}" for field in fields(kind)]
    short_names = [f"{short} ({found.means})" for short, found in common().items() if found.check == name]
    told = f"\n\nBudgets: {', '.join(budgets)}." if budgets else ""
    if budgets:
        told += f"\nFor one run: `--budget {name}.{fields(kind)[0].name}=…`"
        told += f", or by a name of its own: {'; '.join(short_names)}." if short_names else "."
    return f"{name}\n{'-' * len(name)}\n{inspect.getdoc(kind)}{told}"


def explain_event(run_dir: Path, event_id: str) -> int:
    """Print the trace of one event of a run. Raises InputError for an id that is not in its schedule."""
    from shaketable import rundir
    from shaketable.checks.event_trace import lives
    from shaketable.evidence.history import History
    from shaketable.text import visible

    run = rundir.find(run_dir)
    with rundir.judging(run.path):
        history, known = History.load(run), []
        if history.events is not None:
            known = history.events.index[history.events.event_id == history.kind.key(event_id)].tolist()
        if not known:
            raise InputError(f"expected an event of {run.path}, got {event_id!r}: its schedule.jsonl has no such id")
        (found,) = lives(history, known)
    more = [f"meanwhile: {each}" for each in found.meanwhile] + [f"shared: {each}" for each in found.shares]
    for line in [*found.story, f"last seen: {found.last_seen}", *more]:
        print(visible(line))
    return 0
