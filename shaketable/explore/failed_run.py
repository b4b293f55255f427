"""A saved run that failed, as the scenario to shrink."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shaketable import rundir
from shaketable.checks import CHECKS, verdict
from shaketable.checks.check import Verdict
from shaketable.errors import InputError
from shaketable.evidence import again
from shaketable.evidence.history import History
from shaketable.explore.draw import CHECKS as CHECKS_OF_DELIVERY
from shaketable.faults import FAULTS
from shaketable.faults.timeline import At
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.rundir import RunDir
from shaketable.runner import scenario as scenarios
from shaketable.runner.scenario import Scenario

#: Of several checks that failed, one of these is shrunk: lanes disturb no count of events.
DELIVERY = frozenset(check.name for check in CHECKS_OF_DELIVERY)


@dataclass(frozen=True)
class FailedRun:
    """The scenario as it was played, the check that failed and why, the target's name, and its manifest if known."""

    scenario: Scenario
    check: str
    why: str
    name: str
    target: Path | None

    @property
    def by_the_clock(self) -> bool:
        """Whether the check judges times, so that trials beside each other would disturb it."""
        return bool(getattr(CHECKS.kinds()[self.check], "by_the_clock", False))


def read(path: Path) -> FailedRun:
    """Read a run directory. Raises InputError unless a check failed that its scenario requires."""
    run = rundir.find(path)
    with rundir.judging(run.path):
        doc = verdict.judge_history(History.load(run))
    failed = {name: one for name, one in doc.checks.items() if one.required and one.verdict is Verdict.FAILED}
    if not failed:
        raise InputError(f"expected a run that failed, got {path}: it is {doc.verdict}")
    check = min(failed, key=lambda name: name not in DELIVERY)
    typed = again.typed(run)
    if typed is not None:
        with suppress(InputError):  # only its own kinds of faults and checks are wanted, if it has any
            scenarios.load(typed.scenario)
    with rundir.judging(run.path):
        return FailedRun(scenario(run), check, failed[check].why, doc.target, _target(typed.options if typed else ()))


def scenario(run: RunDir) -> Scenario:
    """The scenario of a run. Raises RunDirError."""
    return scenario_of(rundir.read_json(run / rundir.SCENARIO, dict))


def scenario_of(told: dict[str, Any]) -> Scenario:
    """The scenario of its JSON. Raises ScenarioError for a kind that is not known."""
    names = ("settings", "counts", "servers", "drain_s", "resend_for_s", "seed")
    known = {name: told[name] for name in names if name in told}
    return Scenario(
        told["story"],
        msgspec.convert(told["load"], Load),
        tuple(At(e["at_s"], e["until_s"], FAULTS.from_spec(e["fault"])) for e in told["timeline"]),
        tuple(CHECKS.from_spec(spec) for spec in told["checks"]),
        mix=msgspec.convert(told.get("mix", {}), Mix),
        name=told["name"],
        **known,
    )


def _target(options: tuple[str, ...]) -> Path | None:
    named = [value for option, value in itertools.pairwise(options) if option == "--target"]
    return Path(named[0]) if named else None
