"""Several targets beside each other: what their runs showed, trial by trial (`cells` reads them)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from statistics import median
from typing import Any

import msgspec

from shaketable.checks.check import Verdict
from shaketable.compare.comparison import JUDGED
from shaketable.compare.measures import Value
from shaketable.results import confidence

#: Which of several verdicts comes first.
ORDER = ("failed", "unknown", "passed", "not applicable")
INFINITE = float("inf")


class Trial(msgspec.Struct, frozen=True):
    """One cell: what became of it, and what was measured."""

    target: str
    scenario: str
    seed: int
    outcome: str  # the run's verdict; skipped, error, not played
    why: str = ""
    page: str = ""  # where its report.html is; "" when there is none
    run: str = ""
    values: dict[str, Value] = {}  # by measure
    checks: dict[str, tuple[str, str]] = {}  # verdict and reason
    required: frozenset[str] = frozenset()  # checks that count
    acknowledged: int = 0
    story: str = ""
    environment: dict[str, Any] = {}
    inputs: str = ""
    manifest: str = ""
    code: str = ""


class Figure(msgspec.Struct, frozen=True):
    """One measure over all trials of a row."""

    values: list[tuple[Trial, Value]]

    @property
    def known(self) -> list[float]:
        """What was measured; a backlog that never went took for ever."""
        return [
            INFINITE if value.state == "never" else value.number or 0.0
            for _, value in self.values
            if value.state in ("known", "never")
        ]

    @property
    def others(self) -> Counter[str]:
        """How many trials have no number, by what there is instead."""
        return Counter(value.state for _, value in self.values if value.state in ("unknown", "not applicable"))

    @property
    def low(self) -> float | None:
        return min(self.known, default=None)

    @property
    def high(self) -> float | None:
        return max(self.known, default=None)

    @property
    def median(self) -> float | None:
        return median(self.known) if self.known else None

    @property
    def why(self) -> str:
        """The first reason that is given."""
        return next((value.why for _, value in self.values if value.why), "")


class TargetTrials(msgspec.Struct, frozen=True):
    """One target under one scenario: its trials, by seed."""

    target: str
    trials: list[Trial]

    @property
    def judged(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.outcome in JUDGED]

    @property
    def others(self) -> list[Trial]:
        """Skipped, errors, not played."""
        return [trial for trial in self.trials if trial.outcome not in JUDGED]

    @property
    def verdicts(self) -> Counter[str]:
        return _ordered(trial.outcome for trial in self.judged)

    def figure(self, measure: str) -> Figure:
        """What was measured in the trials that were judged."""
        return Figure([(trial, trial.values[measure]) for trial in self.judged])

    def check(self, name: str) -> Counter[str]:
        """A check's verdicts; one that a run did not judge is unknown."""
        return _ordered(trial.checks.get(name, ("unknown", ""))[0] for trial in self.judged)

    def reason(self, name: str) -> str:
        """Why a check did not pass, where it says so."""
        said = [trial.checks.get(name, ("", "")) for trial in self.judged]
        return next((why for verdict in ORDER for found, why in said if found == verdict and why), "")

    @property
    def proved(self) -> tuple[float, float | None] | None:
        """Without a loss in any trial: the bounds for each trial and for each acknowledged event. None otherwise."""
        trials = [trial for trial, value in self.figure("lost").values if value.state == "known"]
        if not trials or self.figure("lost").high:
            return None
        for_each_trial = confidence.upper(len(trials))
        assert for_each_trial is not None
        return for_each_trial, confidence.upper(sum(trial.acknowledged for trial in trials))


class Block(msgspec.Struct, frozen=True):
    """One scenario, a line for each target."""

    scenario: str
    lines: list[TargetTrials]

    @property
    def story(self) -> str:
        return next((trial.story for line in self.lines for trial in line.trials if trial.story), "")

    @property
    def checks(self) -> list[str]:
        """All that any run judged: those that the scenario names first."""
        names = dict.fromkeys(name for line in self.lines for trial in line.judged for name in trial.checks)
        return sorted(names, key=lambda name: name not in self.required)

    @property
    def required(self) -> frozenset[str]:
        return frozenset().union(*(trial.required for line in self.lines for trial in line.judged))


class Compared(msgspec.Struct, frozen=True):
    """All of it."""

    blocks: list[Block]
    commands: list[str]

    @property
    def trials(self) -> list[Trial]:
        return [trial for block in self.blocks for line in block.lines for trial in line.trials]

    @property
    def targets(self) -> list[str]:
        return list(dict.fromkeys(trial.target for trial in self.trials))

    @property
    def doubts(self) -> list[str]:
        """Why cells of one scenario may not be alike, though they stand beside each other."""
        return [
            *_differing_inputs(self.trials),
            *_differing(self.trials, "manifest"),
            *_differing(self.trials, "code"),
            *_differing_machines(self.trials),
        ]

    @property
    def when(self) -> tuple[str, str] | None:
        """The days of the first and the last run, by their folders' names; None when none tells."""
        days = sorted(day for trial in self.trials if (day := _day(trial.run)))
        return (days[0], days[-1]) if days else None

    def packages(self, target: str) -> dict[str, str]:
        """What the target's own environment held; several versions are all told."""
        found: dict[str, set[str]] = {}
        for trial in self.trials:
            if trial.target == target:
                for name, version in (trial.environment.get("target_packages") or {}).items():
                    found.setdefault(str(name), set()).add(str(version))
        return {name: " and ".join(sorted(versions)) for name, versions in sorted(found.items())}

    @property
    def loads(self) -> dict[int | None, tuple[float, float]]:
        """How busy the machine was before runs, lowest and highest, by its number of CPUs; {} when none tells."""
        found: dict[int | None, list[float]] = {}
        for trial in self.trials:
            if isinstance(load := trial.environment.get("load_before"), int | float):
                found.setdefault(trial.environment.get("cpus"), []).append(load)
        return {cpus: (min(those), max(those)) for cpus, those in found.items()}

    @property
    def machines(self) -> list[dict[str, Any]]:
        """What it ran on, each once: without what differs from run to run."""
        told = [
            {name: value for name, value in trial.environment.items() if name not in _CHANGING}
            for trial in self.trials
            if trial.environment
        ]
        return [one for number, one in enumerate(told) if one not in told[:number]]


_CHANGING = ("load_before", "target_packages")


def _ordered(verdicts: Iterable[str]) -> Counter[str]:
    """Worst first."""
    found = Counter(verdicts)
    return Counter({verdict: found[verdict] for verdict in ORDER if found[verdict]})


def _differing_inputs(trials: Sequence[Trial]) -> list[str]:
    places: dict[tuple[str, int], set[str]] = {}
    for trial in trials:
        if trial.inputs and trial.outcome in JUDGED:
            places.setdefault((trial.scenario, trial.seed), set()).add(trial.inputs)
    return [
        f"{scenario}, seed {seed}: not all targets were sent the same"
        for (scenario, seed), found in places.items()
        if len(found) > 1
    ]


def _differing(trials: Sequence[Trial], what: str) -> list[str]:
    """Targets whose manifest or code was not the same in all runs that tell."""
    found: dict[str, set[str]] = {}
    for trial in trials:
        if (digest := getattr(trial, what)) and trial.outcome in JUDGED:
            found.setdefault(trial.target, set()).add(digest)
    return [f"{target}: its {what} changed between runs" for target, those in found.items() if len(those) > 1]


def _differing_machines(trials: Sequence[Trial]) -> list[str]:
    machines = len(Compared([Block("", [TargetTrials("", list(trials))])], []).machines)
    return [f"the runs were made on {machines} different machines, or with different versions"] if machines > 1 else []


def _day(run: str) -> str:
    try:
        return datetime.strptime(run[:8], "%Y%m%d").strftime("%Y-%m-%d")
    except ValueError:
        return ""


def worst(verdicts: Counter[str]) -> str:
    """Of several verdicts; unknown without any."""
    return next(iter(verdicts), Verdict.UNKNOWN.value)
