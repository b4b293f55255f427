"""A found scenario: its file, which `shaketable run` plays, and its sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shaketable import rundir
from shaketable.checks.verdict import VerdictDoc
from shaketable.errors import ScenarioError
from shaketable.explore.trial import digest
from shaketable.faults.timeline import Timeline
from shaketable.files import atomic
from shaketable.runner import scenario as scenarios
from shaketable.runner.scenario import Scenario

#: The files' names begin so.
PREFIX = "found_"


@dataclass(frozen=True)
class Found:
    """A scenario that fails a check: how it was found, shrunk and confirmed."""

    check: str
    scenario: Scenario
    failed: int  # of `of` confirmations on a cold stack
    of: int
    why: str = ""
    find_trials: int = 0
    find_s: float = 0.0
    shrink_trials: int = 0
    shrink_s: float = 0.0
    file: Path | None = None  # None: no confirmation failed, so that there is no scenario to keep
    run: Path | None = None
    doc: VerdictDoc | None = None

    @property
    def sentence(self) -> str:
        """As `no_loss fails with worker-1 frozen for 1.3 s: 4 of 6`."""
        often = f"{self.failed} of {self.of}" if self.of else "not confirmed"
        return f"{self.check} fails {after(self.scenario.timeline)}: {often}"


def after(timeline: Timeline) -> str:
    """The faults in words."""
    told = [f"{at.fault.label} for {at.until_s - at.at_s:.1f} s" for at in timeline]
    return f"with {' and '.join(told)}" if told else "without any fault"


def labels(scenario: Scenario) -> frozenset[str]:
    """The faults of a scenario, without their times."""
    return frozenset(at.fault.label for at in scenario.timeline)


def explains(known: Sequence[Found], failed: Container[str], scenario: Scenario) -> bool:
    """Whether a finding of the same check needs no fault that this failure lacks; unconfirmed, the same faults."""
    faults = labels(scenario)
    needed = [(one.failed, labels(one.scenario)) for one in known if one.check in failed]
    return any(these <= faults if confirmed else these == faults for confirmed, these in needed)


def name(check: str, scenario: Scenario) -> str:
    """A name that says the check and differs for different scenarios."""
    return f"{PREFIX}{check}_{digest(scenario)}"


def check_of(name: str) -> str:
    """The check in such a name."""
    return name.removeprefix(PREFIX).rpartition("_")[0]


def write(folder: Path, check: str, scenario: Scenario, target: str, story: str) -> Path:
    """Write the scenario's file and read it back. Raises ScenarioError when it does not hold the same scenario."""
    named = dataclasses.replace(scenario, name=name(check, scenario), story=story)
    path = folder / f"{named.name}.py"
    folder.mkdir(parents=True, exist_ok=True)
    with rundir.whole(path, atomic.ORDINARY) as out:
        out.write(source(named, target).encode())
    try:
        if digest(scenarios.load(str(path))) != digest(scenario):
            raise ScenarioError(f"{path} does not hold the scenario that was found: please report a bug")
    except ScenarioError:
        path.unlink()  # a later exploration would play it first
        raise
    return path


def earlier(folder: Path) -> list[Scenario]:
    """The scenarios that earlier explorations found, by name."""
    return [scenarios.load(str(path)) for path in sorted(folder.glob(f"{PREFIX}*.py"))]


def source(scenario: Scenario, target: str) -> str:
    """The file's text. Raises ScenarioError for a fault or a check that is defined in a scenario's file."""
    used = _own([*(at.fault for at in scenario.timeline), *scenario.checks])
    lines = [
        f'"""Found by `shaketable explore` on {target}."""',
        "",
        *[f"from {module} import {kind}" for module, kind in used],
        "from shaketable import At, Load, Mix, Scenario, checks, faults",
        "",
        "SCENARIO = Scenario(",
        f"    story={scenario.story!r},",
        f"    load={_call('Load', scenario.load)},",
        "    timeline=(",
        *[
            f"        At({float(at.at_s)!r}, {float(at.until_s)!r}, {_value(at.fault, 'faults')}),"
            for at in scenario.timeline
        ],
        "    ),",
        f"    settings={dict(scenario.settings)!r},",
        *([f"    counts={dict(scenario.counts)!r},"] if scenario.counts else []),
        *([f"    servers={scenario.to_json()['servers']!r},"] if scenario.servers else []),
        f"    mix={_call('Mix', scenario.mix)},",
        f"    drain_s={scenario.drain_s:g},",
        f"    resend_for_s={scenario.resend_for_s:g},",
        f"    seed={scenario.seed},",
        "    checks=(",
        *[f"        {_value(check, 'checks')}," for check in scenario.checks],
        "    ),",
        ")",
        "",
    ]
    return "\n".join(lines)


def _own(values: Sequence[Any]) -> list[tuple[str, str]]:
    """The kinds that are not shaketable's own, with their modules. Raises ScenarioError for one of a script."""
    kinds = sorted({(type(value).__module__, type(value).__name__) for value in values if not _is_ours(value)})
    for module, kind in kinds:
        if module.startswith("<") or module == "__main__":
            why = f"{kind} is defined in a scenario's file, and the file of a finding cannot import it"
            raise ScenarioError(f"{why}: define it in a module of your own")
    return kinds


def _is_ours(value: Any) -> bool:
    return type(value).__module__.startswith("shaketable.")


def _value(value: Any, room: str) -> str:
    """A fault or a check as an expression: of `faults` or `checks`, or by its own name."""
    kind = type(value).__name__
    return _call(f"{room}.{kind}" if _is_ours(value) else kind, value)


def _call(what: str, value: Any) -> str:
    """A frozen dataclass as an expression, without the fields that have their default."""
    given = [
        f"{field.name}={getattr(value, field.name)!r}"
        for field in dataclasses.fields(value)
        if not _is_default(field, getattr(value, field.name))
    ]
    return f"{what}({', '.join(given)})"


def _is_default(field: Any, value: Any) -> bool:
    return bool(field.default is not dataclasses.MISSING and field.default == value)
