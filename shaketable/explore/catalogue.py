"""The faults that an exploration draws from, each with the things it breaks and how long it lasts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from shaketable import faults
from shaketable.errors import ScenarioError
from shaketable.faults.fault import Fault
from shaketable.faults.kinds.clocks.clock import ClockFault
from shaketable.faults.kinds.disks.disk import DiskFault
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner import playable
from shaketable.runner.scenario import Scenario
from shaketable.target.manifest import Manifest

#: A library that a fault needs: in front of a server's disk, or of a process's clock.
Library = Literal["disk", "clock"]
LIBRARIES: frozenset[Library] = frozenset(get_args(Library))


@dataclass(frozen=True)
class Option:
    """A fault that may be drawn, from `least_s` to `most_s` seconds long. Two with a thing in common never overlap.

    `least_s` is what its witness needs: a link's silence shows after 2 s, a process that is gone at once.
    """

    fault: Fault
    things: frozenset[str]
    least_s: float = 0.5
    most_s: float = 3.0

    @property
    def library(self) -> Library | None:
        """The library that must be there for it."""
        return "disk" if isinstance(self.fault, DiskFault) else "clock" if isinstance(self.fault, ClockFault) else None


def _option(fault: Fault, *things: str, least_s: float = 0.5, most_s: float = 3.0) -> Option:
    return Option(fault, frozenset(things), least_s, most_s)


HOUR_S, DAY_S = 3600, 86_400
#: Marks as in scenarios/storm.py: a toxic is not removed, and a trigger not changed, while a process is frozen.
_TOXIC, _FROZEN = "toxic", "frozen"

CATALOGUE: tuple[Option, ...] = (
    _option(faults.Kill("worker-1"), "worker-1"),
    _option(faults.Kill("worker"), "worker-1", "worker-2"),
    _option(faults.Kill("intake"), "intake"),
    _option(faults.Pause("worker-1"), "worker-1", _TOXIC, _FROZEN, most_s=4),
    _option(faults.Pause("intake"), "intake", _TOXIC, _FROZEN),
    _option(faults.Terminate("worker-1"), "worker-1"),
    _option(faults.Terminate("worker"), "worker-1", "worker-2"),
    _option(faults.Terminate("intake"), "intake"),
    _option(faults.Restart("worker"), "worker-1", "worker-2", least_s=1),
    _option(faults.Restart("intake"), "intake", least_s=1),
    _option(faults.Restart("worker", mode="kill"), "worker-1", "worker-2", least_s=1),
    _option(faults.Down("postgres"), "postgres"),
    _option(faults.Down("postgres", mode="refused"), "postgres"),
    _option(faults.Down("postgres", process="worker-1"), "postgres", "worker-1"),
    _option(faults.Flaky("postgres"), "postgres", least_s=2),
    _option(faults.Reset("postgres"), "postgres", _TOXIC),
    _option(faults.Silence("postgres"), "postgres", _TOXIC, least_s=2),
    _option(faults.Latency("postgres", ms=300), "postgres", _TOXIC),
    _option(faults.PostgresCrash(), "postgres", least_s=1),
    _option(faults.ReadOnly(), "postgres", least_s=1),
    _option(faults.TerminateBackends(every_s=0.3), "postgres", least_s=1),
    _option(faults.CommitReplyLost(every_s=0.5), "postgres", "redis", "intake", _FROZEN, least_s=1.5),
    _option(faults.FailNext(3), "postgres", "redis", "intake", "worker-1", _FROZEN, least_s=2),
    _option(faults.LockTable(), "postgres", _FROZEN, least_s=1),
    _option(faults.Down("redis"), "redis"),
    _option(faults.Down("redis", process="worker-1"), "redis", "worker-1"),
    _option(faults.ValkeyCrash(), "redis", least_s=1),
    _option(faults.KillClients(every_s=0.3), "redis", least_s=1),
    _option(faults.Silence("redis"), "redis", _TOXIC, least_s=2),
    _option(faults.Latency("redis", ms=100), "redis", _TOXIC),
    _option(faults.ClientPause(), "redis", least_s=1),
    _option(faults.EnqueueReplyLost(), "redis", "intake", _TOXIC, least_s=2),
    _option(faults.Down("ingest", mode="refused"), "intake"),
    _option(faults.Reset("ingest"), "intake", _TOXIC, least_s=1),
    _option(faults.PowerLoss("postgres"), "postgres", least_s=1),
    _option(faults.PowerLoss("postgres", torn=True), "postgres", least_s=1),
    _option(faults.PowerLoss("redis"), "redis", least_s=1),
    _option(faults.PowerLoss("redis", torn=True), "redis", least_s=1),
    _option(faults.DiskFull("postgres"), "postgres", least_s=1),
    _option(faults.DiskFull("redis"), "redis", least_s=1),
    _option(faults.SlowSync("postgres", ms=400), "postgres", least_s=1.5),
    _option(faults.SlowSync("redis", ms=300), "redis", least_s=1.5),
    _option(faults.FailingSync("postgres"), "postgres", least_s=1),
    _option(faults.FailingSync("redis"), "redis", least_s=1),
    _option(faults.ClockStep("intake", by_s=3 * HOUR_S), "intake", least_s=2.5, most_s=4),
    _option(faults.ClockStep("intake", by_s=-4 * HOUR_S), "intake", least_s=2.5, most_s=4),
    _option(faults.ClockStep("worker-1", by_s=-2 * HOUR_S), "worker-1", least_s=2.5, most_s=4),
    _option(faults.ClockStep("worker", by_s=60 * DAY_S), "worker-1", "worker-2", least_s=2.5, most_s=4),
    _option(faults.ClockDrift("intake", rate=0.5), "intake", least_s=2.5, most_s=4),
    _option(faults.ClockDrift("worker", rate=20), "worker-1", "worker-2", least_s=2.5, most_s=4),
)

#: Kinds that are not drawn, and why.
LEFT_OUT = {
    "cpu_pressure": "lanes share the machine",
    "deadlock": "its effect takes longer than a trial",
    "reject_rows": "dead letters are judged by checks that an exploration does not count",
    "exhaust_connections": "targets wait for a connection longer than a trial",
    "out_of_memory": "its effect depends on how much the trial before it left",
    "eviction_policy": "without a full memory it has no effect on delivery",
    "bandwidth": "as slow links in general: latency is drawn",
    "slicer": "as slow links in general: latency is drawn",
    "limit_data": "the links carry too little in a trial",
}


def of(
    manifest: Manifest, kinds: frozenset[str] = frozenset(), libraries: frozenset[Library] = LIBRARIES
) -> tuple[Option, ...]:
    """The options whose faults find something to break in this target, with these libraries.

    Of these kinds only, if any are given.
    """
    return tuple(
        option
        for option in CATALOGUE
        if (not kinds or option.fault.kind in kinds)
        and option.library in (None, *libraries)
        and plays(_alone(option), manifest)
    )


def digest(options: Sequence[Option]) -> str:
    """The same for the same options, in whatever order."""
    told = sorted(f"{type(option.fault).__name__} {option.fault.label}" for option in options)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def plays(scenario: Scenario, manifest: Manifest) -> bool:
    """Whether every fault of the scenario finds something to break, as far as the manifest tells."""
    try:
        playable.check(scenario, manifest)
    except ScenarioError:
        return False
    return True


def _alone(option: Option) -> Scenario:
    return Scenario("one fault", Load(1, 0, option.most_s, 0), (At(0, option.most_s, option.fault),))
