"""Steps against the target: a run without faults at each rate, on warm servers, judged by checks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shaketable import checks
from shaketable.capacity.step import Step
from shaketable.checks.check import Verdict
from shaketable.explore import trial
from shaketable.load.schedule import Load
from shaketable.runner.progress import SilentReporter
from shaketable.runner.scenario import Scenario
from shaketable.stack.stack import StackSource

#: Seconds of load before and after the part that `seconds` names.
BASELINE_S, RECOVER_S = 1.0, 1.0


@dataclass(frozen=True)
class TargetSteps:
    """`play` is one step; every event must be stored, and 99 of 100 within the budgets."""

    target: Path  # the manifest
    runs: Path
    stack: StackSource
    seconds: float  # of load at each rate
    acknowledged_within_s: float
    stored_within_s: float
    seed: int = 1

    def scenario(self, rate: float) -> Scenario:
        """The run of one step."""
        budgets = checks.LatencyBudget(self.acknowledged_within_s, 0.99, self.stored_within_s, 0.99)
        return Scenario(
            story=f"{rate:g} events a second, without faults: all are stored, and 99 of 100 in time.",
            load=Load(rate, BASELINE_S, self.seconds, RECOVER_S),
            checks=(checks.NoLoss(), budgets),
            seed=self.seed,
            name=f"capacity_{rate:g}",
        )

    def play(self, rate: float) -> Step:
        """Play and judge one rate. An error of the harness or the target makes it unknown."""
        played = trial.play(self.scenario(rate), self.target, self.runs, self.stack, SilentReporter())
        figures = played.doc.figures if played.doc else {}
        return Step(
            rate,
            {Verdict.PASSED: True, Verdict.FAILED: False}.get(played.verdict),
            figures.get("acknowledged_per_s"),
            figures.get("stored_per_s"),
            figures.get("intake_p99_ms"),
            figures.get("lateness_p99_ms"),
            played.why,
            str(played.run or ""),
        )
