"""One trial: played, judged by the delivery checks, and reduced to a few values."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shaketable.checks import verdict
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.errors import ShaketableError
from shaketable.evidence.history import History
from shaketable.explore import states
from shaketable.explore.states import State
from shaketable.report import judging
from shaketable.runner import phases
from shaketable.runner.order import Order
from shaketable.runner.progress import Reporter
from shaketable.runner.scenario import Scenario
from shaketable.stack.stack import StackSource

#: Characters of a trial's digest.
LONG = 10


@dataclass(frozen=True)
class Played:
    """The outcome of a trial. `failed` are the delivery checks that failed; `why` tells why a trial is unknown."""

    scenario: Scenario
    verdict: Verdict
    failed: tuple[str, ...] = ()
    why: str = ""
    run: Path | None = None
    seconds: float = 0.0
    doc: VerdictDoc | None = None
    states: frozenset[State] = frozenset()


def digest(scenario: Scenario) -> str:
    """The same for trials that break the same things at the same times under the same load, whatever their seed."""
    told = scenario.to_json()
    kept = {name: _measured(told[name]) for name in ("load", "timeline", "counts", "settings", "mix")}
    kept |= {"servers": told["servers"]} if told["servers"] else {}
    return hashlib.sha256(msgspec.json.encode(kept, order="sorted")).hexdigest()[:LONG]


def _measured(told: Any) -> Any:
    """The same with every number as a float: 40 and 40.0 events a second are the same load."""
    if isinstance(told, Mapping):
        return {name: _measured(value) for name, value in told.items()}
    if isinstance(told, list | tuple):
        return [_measured(value) for value in told]
    return float(told) if isinstance(told, int) else told


def play(
    scenario: Scenario,
    target: Path,
    runs: Path,
    stack: StackSource,
    reporter: Reporter,
    clock: Callable[[], float] = time.monotonic,
) -> Played:
    """Play a trial and judge it. An error of the harness or a target that does not start makes it unknown."""
    began = clock()
    try:
        run = phases.run(Order(scenario, target, runs, stack=stack), reporter)
        history = History.load(run)
        doc = verdict.judge_history(history)
        judging.write(run, doc, page=False)
    except ShaketableError as e:
        return Played(scenario, Verdict.UNKNOWN, why=f"{type(e).__name__}: {e}", seconds=clock() - began)
    failed = tuple(name for name, found in doc.checks.items() if found.required and found.verdict is Verdict.FAILED)
    return Played(scenario, doc.verdict, failed, reasons(doc), run.path, clock() - began, doc, states.states(history))


def reasons(doc: VerdictDoc) -> str:
    """Why a trial failed or is unknown, in a line."""
    bad: list[Any] = [found for found in doc.checks.values() if found.required and found.verdict is doc.verdict]
    told = [found.why for found in bad] if doc.verdict is not Verdict.PASSED else []
    return "; ".join(filter(None, [*doc.reasons, *told]))
