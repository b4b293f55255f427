"""A scenario: the load, the faults, and the laws that must hold meanwhile. One file holds one, as `SCENARIO`."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from shaketable import plural, rundir
from shaketable.checks import CHECKS
from shaketable.checks.check import Check
from shaketable.errors import ScenarioError, ShaketableError
from shaketable.faults import FAULTS
from shaketable.faults.kinds.clocks.clock import ClockFault
from shaketable.faults.kinds.disks.disk import DiskFault
from shaketable.faults.random_timeline import RandomTimeline
from shaketable.faults.timeline import At, Timeline, check_within
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.resources import places
from shaketable.rundir import RunDir
from shaketable.stack import server_options
from shaketable.stack.server_options import ServerOptions
from shaketable.target import settings


@dataclass(frozen=True)
class Scenario:
    """The load, the faults, and the checks that must hold."""

    story: str  # one sentence: the faults, and the behaviour of a reliable processor
    load: Load
    timeline: Timeline = ()
    checks: tuple[Check, ...] = ()  # those that count; all others are shown
    settings: Mapping[str, float | str] = field(default_factory=dict)  # of the target, see docs/scenarios.md
    counts: Mapping[str, int] = field(default_factory=dict)  # how many of a role or kind, where not the manifest's
    mix: Mix = Mix()
    drain_s: float = 30.0  # longest wait for the backlog after the load
    resend_for_s: float = 60.0  # how long a client tries for one event; must outlast the faults
    seed: int = 1
    name: str = ""  # the file's, unless given
    random_timeline: RandomTimeline | None = None  # the timeline is drawn from it, by the seed, unless one is given
    nightly: bool = False  # longer or rarer than most: `run --all` leaves it out, `run --nightly` plays it too
    servers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # settings of the stack's own, by service
    expects: Mapping[str, str] = field(default_factory=dict)  # {"no_loss": "failed"}: a check that must fail

    def __post_init__(self) -> None:
        if not self.story:
            raise ScenarioError("a scenario needs a story: one sentence on what happens and what must hold")
        if self.drain_s <= 0 or self.resend_for_s < 0:
            raise ScenarioError(
                f"expected drain_s > 0 and resend_for_s >= 0, got {self.drain_s:g} and {self.resend_for_s:g}"
            )
        server_options.check(self.servers)
        for mistake in settings.mistakes(self.settings):
            raise ScenarioError(mistake)
        names = [check.name for check in self.checks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ScenarioError(f"expected each check once, got {', '.join(twice)} more than once: join their budgets")
        self._check_expects()
        check_within(self.timeline, self.load.shake_s)

    def drawn(self) -> Scenario:
        """The scenario with the timeline that its seed draws; a scenario that has a timeline keeps it."""
        if self.random_timeline is None or self.timeline:
            return self
        return replace(self, timeline=self.random_timeline.timeline(self.seed, self.load.shake_s))

    def _check_expects(self) -> None:
        required = {check.name for check in self.checks}
        for name, verdict in self.expects.items():
            if verdict != "failed" or name not in required:
                raise ScenarioError(
                    f'expects: expected {{"CHECK": "failed"}} of a check that the scenario names, got {name}: {verdict}'
                )

    @property
    def server_options(self) -> ServerOptions:
        """How the stack's own servers run: with these settings, and with disks that the timeline's faults can break."""
        faults = [entry.fault for entry in self.timeline]
        return ServerOptions(self.servers, frozenset(each.service for each in faults if isinstance(each, DiskFault)))

    @property
    def moves_clocks(self) -> bool:
        """Whether a fault of the timeline moves the clock of a process of the target."""
        return any(isinstance(entry.fault, ClockFault) for entry in self.timeline)

    def to_json(self) -> dict[str, Any]:
        """The scenario as data: the content of scenario.json."""
        timeline = [
            {
                "at_s": e.at_s,
                "until_s": e.until_s,
                "label": e.fault.label,
                "colour": e.fault.colour,
                "fault": FAULTS.to_spec(e.fault),
            }
            for e in self.timeline
        ]
        return {
            "schema": 1,
            "name": self.name,
            "story": self.story,
            "seed": self.seed,
            "load": asdict(self.load),
            "timeline": timeline,
            "checks": [CHECKS.to_spec(check) for check in self.checks],
            "settings": dict(self.settings),
            "counts": dict(self.counts),
            "servers": {service: dict(named) for service, named in self.servers.items()},
            "expects": dict(self.expects),
            "mix": asdict(self.mix),
            "drain_s": self.drain_s,
            "resend_for_s": self.resend_for_s,
            "nightly": self.nightly,
        }


def load(name: str) -> Scenario:
    """The scenario of a file, or of a name in `./scenarios`, in the checkout, or bundled with the package.

    `NAME@RATE` is the same at another rate, in events a second: for a processor that cannot sustain the scenario's own.

    Raises ScenarioError: no such file, one that raises, or one that holds no `SCENARIO`; a rate that is none.
    """
    named, rate = _paced(name)
    found = _load(_find(named))
    if rate is None:
        return found
    paced, story = replace(found.load, rate=rate), f"{found.story} (Here: {plural.counted(rate, 'events')} a second.)"
    return replace(found, name=f"{found.name}@{rate:g}", load=paced, story=story)


def typed(name: str) -> str:
    """The name as it may be typed from any folder: a file's with its whole path."""
    named, _ = _paced(name)
    return f"{Path(named).resolve()}{name[len(named) :]}" if _is_file(named) else name


def _paced(name: str) -> tuple[str, float | None]:
    """A name and the rate behind its last @, if there is a number."""
    named, _, rate = name.rpartition("@")
    try:
        return (named, float(rate)) if named else (name, None)
    except ValueError:
        return name, None


def _load(path: Path) -> Scenario:
    try:
        found = runpy.run_path(str(path)).get("SCENARIO")
    except ShaketableError as e:
        raise ScenarioError(f"scenario {path}: {e}") from e
    except Exception as e:
        raise ScenarioError(f"scenario {path} raised {type(e).__name__}: {e}") from e
    if not isinstance(found, Scenario):
        raise ScenarioError(f"expected {path} to hold `SCENARIO = Scenario(…)`, got {type(found).__name__}")
    register_kinds(found)
    return found if found.name else replace(found, name=path.stem)


def register_kinds(scenario: Scenario) -> None:
    """Register the scenario's own kinds of faults and checks by name: a replay and a verdict look them up."""
    drawn = scenario.random_timeline
    choices = (*drawn.choices, *drawn.opens_with) if drawn else ()  # all: another seed draws others
    for fault in [*(entry.fault for entry in scenario.timeline), *(choice.fault for choice in choices)]:
        FAULTS.add(type(fault))
    for check in scenario.checks:
        CHECKS.add(type(check))


def replayed(scenario: Scenario, run: RunDir) -> Scenario:
    """The scenario with load, timeline, mix, settings and seed of an earlier run: an exact repetition."""
    with rundir.judging(run.path):
        return _replayed(scenario, run)


def _replayed(scenario: Scenario, run: RunDir) -> Scenario:
    told = rundir.read_json(run / rundir.SCENARIO, dict)
    if told["name"] != scenario.name:
        raise ScenarioError(f"{run.path.name} is a run of {told['name']}, not of {scenario.name}: name that scenario")
    timeline = tuple(At(e["at_s"], e["until_s"], FAULTS.from_spec(e["fault"])) for e in told["timeline"])
    return replace(
        scenario,
        seed=told["seed"],
        load=msgspec.convert(told["load"], Load),
        mix=msgspec.convert(told["mix"], Mix),
        timeline=timeline,
        settings=told["settings"],
        counts=told["counts"],
        servers=told.get("servers", {}),
        drain_s=told["drain_s"],
        resend_for_s=told["resend_for_s"],
    )


def names() -> dict[str, Path]:
    """Every scenario that a name finds, the nearest place first."""
    found: dict[str, Path] = {}
    for place in places("scenarios"):
        for path in sorted(place.glob("*.py")):
            found.setdefault(path.stem, path)
    return found


def _find(name: str) -> Path:
    path = Path(name)
    if _is_file(name):
        if path.is_file():
            return path
        raise ScenarioError(f"expected a scenario's file, got {name}: there is none")
    known = names()
    if name not in known:
        raise ScenarioError(f"no scenario is called {name!r}: `shaketable list` shows them, or name a file")
    return known[name]


def _is_file(name: str) -> bool:
    """Whether a file is meant, and not a scenario of that name."""
    return Path(name).suffix == ".py" or Path(name).exists()
