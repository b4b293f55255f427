"""The inputs of a run: scenario.json, and the manifest in target.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shaketable import rundir
from shaketable.event.table import EventTable
from shaketable.rundir import RunDir
from shaketable.target.manifest import Capabilities, Process, Timing
from shaketable.target.mix_table import MixTable

T = TypeVar("T")


class LoadFacts(msgspec.Struct, frozen=True):
    """The properties of the load that affect a verdict."""

    unsent_bound: float = 0.01  # largest share of scheduled events that may stay unsent
    lateness_bound_ms: float = 250.0  # largest p99 of the harness's own lateness


class Entry(msgspec.Struct, frozen=True):
    """One entry of the timeline; its number is its index."""

    at_s: float
    until_s: float
    label: str = ""
    colour: str = ""  # of its band
    fault: dict[str, Any] = {}


class ScenarioFacts(msgspec.Struct, frozen=True):
    """The properties of scenario.json that checks and verdict use."""

    name: str = ""
    story: str = ""
    seed: int = 0
    load: LoadFacts = LoadFacts()
    timeline: list[Entry] = []
    checks: list[dict[str, Any]] = []
    drain_s: float = 30.0
    expects: dict[str, str] = {}  # a check that must fail, by name
    settings: dict[str, float | str] = {}  # values for the target
    budgets: list[str] = []  # NAME=VALUE each, of --budget, in place of the scenario's own

    @property
    def moves_clocks(self) -> bool:
        """Whether a fault moves the clocks of the target's processes."""
        return any(entry.fault.get("kind") in ("clock_step", "clock_drift") for entry in self.timeline)


class StoredFacts(msgspec.Struct, frozen=True):
    """The manifest's section [stored]."""

    updates: bool = False
    adds: tuple[str, ...] = ()
    url: str | None = None
    command: tuple[str, ...] = ()


class IngestFacts(msgspec.Struct, frozen=True):
    """The manifest's section [ingest]."""

    process: str = ""
    batch: Any = None  # None: one event a request


class TargetFacts(msgspec.Struct, frozen=True):
    """The properties of target.json that checks use: the manifest, with the timing under the scenario's settings."""

    name: str = ""
    timing: Timing = Timing()
    capabilities: Capabilities = Capabilities()
    ingest: IngestFacts = IngestFacts()
    process: tuple[Process, ...] = ()
    stored: StoredFacts = StoredFacts()
    durability: dict[str, dict[str, str]] = {}  # the servers' settings in force, by service
    event: EventTable | None = None  # None: the audit event
    dead_letters: Any = None  # None: the target has none
    outbound: Any = None  # None: it delivers nothing to the harness
    queue: Any = None  # None: the manifest does not name its queue
    mix: MixTable = MixTable()
    settings: dict[str, str] = {}  # the scenario's settings that it takes, and their variables
    store: str | None = "postgres"  # the service with the stored events; None: the manifest does not say
    queue_service: str | None = "redis"  # the service without which the intake cannot accept; None as above

    @property
    def times_its_own_commits(self) -> bool:
        """Whether the target itself says when it has stored an event, and no server and no receiver of ours."""
        return self.outbound is None and bool(self.stored.url or self.stored.command)

    @property
    def counts_seldom(self) -> bool:
        """Whether a command counts the queue, so that its length is known every few seconds only."""
        return isinstance(self.queue, dict) and bool(self.queue.get("command"))

    @property
    def queues_in_store(self) -> bool:
        """Whether the intake needs the store itself, since the queue is there."""
        return self.store is not None and self.store == self.queue_service


def read(run: RunDir) -> tuple[ScenarioFacts, TargetFacts]:
    """Read both; without target.json, in an interrupted run, the target has no capabilities."""
    return _read(run / rundir.SCENARIO, ScenarioFacts), _read(run / rundir.TARGET, TargetFacts)


def _read(path: Path, type_: type[T]) -> T:
    return rundir.read_json(path, type_) if path.exists() else type_()
