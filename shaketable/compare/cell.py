"""Results of several targets, trial by trial (`run_index` reads them)."""

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

#: Verdicts in display order.
ORDER = ("failed", "unknown", "passed", "not applicable")
INFINITE = float("inf")


class Trial(msgspec.Struct, frozen=True):
    """One trial: its outcome and measurements."""

    target: str
    scenario: str
    seed: int
    outcome: str  # the run's verdict, or skipped, error, not played
    why: str = ""
    page: str = ""  # path of its report.html; "" if there is none
    run: str = ""
    values: dict[str, Value] = {}  # by measure
    checks: dict[str, tuple[str, str]] = {}  # verdict and reason
    required: frozenset[str] = frozenset()  # required checks
    acknowledged: int = 0
    story: str = ""
    environment: dict[str, Any] = {}
    inputs: str = ""
    manifest: str = ""
    code: str = ""
    machine: str = ""


class Figure(msgspec.Struct, frozen=True):
    """One measure over all trials of a target and scenario."""

    values: list[tuple[Trial, Value]]

    @property
    def known(self) -> list[float]:
        """The measured values; infinite for a backlog that never drained."""
        return [
            INFINITE if value.state == "never" else value.number or 0.0
            for _, value in self.values
            if value.state in ("known", "never")
        ]

    @property
    def others(self) -> Counter[str]:
        """Trials without a number, counted by their state."""
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
        """The first recorded reason."""
        return next((value.why for _, value in self.values if value.why), "")


class TargetTrials(msgspec.Struct, frozen=True):
    """The trials of one target under one scenario, by seed."""

    target: str
    trials: list[Trial]

    @property
    def judged(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.outcome in JUDGED]

    @property
    def others(self) -> list[Trial]:
        """Trials that were skipped, failed with an error, or were not played."""
        return [trial for trial in self.trials if trial.outcome not in JUDGED]

    @property
    def machine(self) -> str:
        """The machines of workers that played its trials; "" for none."""
        return ", ".join(sorted({trial.machine for trial in self.trials if trial.machine}))

    @property
    def verdicts(self) -> Counter[str]:
        return _ordered(trial.outcome for trial in self.judged)

    def figure(self, measure: str) -> Figure:
        """A measure over the judged trials."""
        return Figure([(trial, trial.values[measure]) for trial in self.judged])

    def has(self, rare: str) -> bool:
        """Whether it has anything of a rare column."""
        return bool(self.machine if rare == "machine" else self.figure(rare).high)

    def check(self, name: str) -> Counter[str]:
        """A check's verdicts; unknown for a run that did not judge it."""
        return _ordered(trial.checks.get(name, ("unknown", ""))[0] for trial in self.judged)

    def reason(self, name: str) -> str:
        """The reason why a check did not pass, or ""."""
        said = [trial.checks.get(name, ("", "")) for trial in self.judged]
        return next((why for verdict in ORDER for found, why in said if found == verdict and why), "")

    @property
    def proved(self) -> tuple[float, float | None] | None:
        """The confidence bounds per trial and per acknowledged event if no trial lost events; None otherwise."""
        trials = [trial for trial, value in self.figure("lost").values if value.state == "known"]
        if not trials or self.figure("lost").high:
            return None
        for_each_trial = confidence.upper(len(trials))
        assert for_each_trial is not None
        return for_each_trial, confidence.upper(sum(trial.acknowledged for trial in trials))


class Block(msgspec.Struct, frozen=True):
    """One scenario, one line per target."""

    scenario: str
    lines: list[TargetTrials]

    @property
    def story(self) -> str:
        return next((trial.story for line in self.lines for trial in line.trials if trial.story), "")

    @property
    def checks(self) -> list[str]:
        """All judged checks, required ones first."""
        names = dict.fromkeys(name for line in self.lines for trial in line.judged for name in trial.checks)
        return sorted(names, key=lambda name: name not in self.required)

    @property
    def required(self) -> frozenset[str]:
        return frozenset().union(*(trial.required for line in self.lines for trial in line.judged))


class Compared(msgspec.Struct, frozen=True):
    """A whole comparison."""

    blocks: list[Block]
    commands: list[str]

    @property
    def trials(self) -> list[Trial]:
        return [trial for block in self.blocks for line in block.lines for trial in line.trials]

    @property
    def targets(self) -> list[str]:
        return list(dict.fromkeys(trial.target for trial in self.trials))

    @property
    def caveats(self) -> list[str]:
        """Reasons why trials of one scenario may not be comparable."""
        return [
            *_differing_inputs(self.trials),
            *_differing(self.trials, "manifest"),
            *_differing(self.trials, "code"),
            *_differing_machines(self.trials),
        ]

    @property
    def when(self) -> tuple[str, str] | None:
        """The days of the first and the last run by their folders' names; None if unknown."""
        days = sorted(day for trial in self.trials if (day := _day(trial.run)))
        return (days[0], days[-1]) if days else None

    def packages(self, target: str) -> dict[str, str]:
        """The packages of the target's own environment, with all their versions."""
        found: dict[str, set[str]] = {}
        for trial in self.trials:
            if trial.target == target:
                for name, version in (trial.environment.get("target_packages") or {}).items():
                    found.setdefault(str(name), set()).add(str(version))
        return {name: " and ".join(sorted(versions)) for name, versions in sorted(found.items())}

    @property
    def loads(self) -> dict[int | None, tuple[float, float]]:
        """The lowest and highest load average before runs, by number of CPUs; {} if unknown."""
        found: dict[int | None, list[float]] = {}
        for trial in self.trials:
            if isinstance(load := trial.environment.get("load_before"), int | float):
                found.setdefault(trial.environment.get("cpus"), []).append(load)
        return {cpus: (min(those), max(those)) for cpus, those in found.items()}

    @property
    def machines(self) -> list[dict[str, Any]]:
        """The distinct machines and versions, without values that differ between runs or targets."""
        told = [
            {name: value for name, value in trial.environment.items() if name not in _CHANGING}
            for trial in self.trials
            if trial.environment
        ]
        return [one for number, one in enumerate(told) if one not in told[:number]]


_CHANGING = ("load_before", "target_packages", "settings_not_taken")


def _ordered(verdicts: Iterable[str]) -> Counter[str]:
    """Count verdicts, in the order of ORDER."""
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
    """Targets whose manifest or code changed between runs."""
    found: dict[str, set[str]] = {}
    for trial in trials:
        if (digest := getattr(trial, what)) and trial.outcome in JUDGED:
            found.setdefault(trial.target, set()).add(digest)
    return [f"{target}: its {what} changed between runs" for target, those in found.items() if len(those) > 1]


def _differing_machines(trials: Sequence[Trial]) -> list[str]:
    line = TargetTrials("", list(trials))
    machines = max(len(Compared([Block("", [line])], []).machines), len({trial.machine for trial in trials} - {""}))
    return [f"the runs were made on {machines} different machines, or with different versions"] if machines > 1 else []


def _day(run: str) -> str:
    try:
        return datetime.strptime(run[:8], "%Y%m%d").strftime("%Y-%m-%d")
    except ValueError:
        return ""


def worst(verdicts: Counter[str]) -> str:
    """The worst of several verdicts; unknown without any."""
    return next(iter(verdicts), Verdict.UNKNOWN.value)
