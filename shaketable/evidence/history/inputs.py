"""What a history was asked to be (scenario.json) and what the target says of itself (target.json)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shaketable import rundir
from shaketable.rundir import RunDir
from shaketable.target.manifest import Capabilities, Process, Timing

T = TypeVar("T")


class LoadFacts(msgspec.Struct, frozen=True):
    """The load, as far as a verdict depends on it."""

    unsent_bound: float = 0.01  # share of scheduled events that may stay unsent
    lateness_bound_ms: float = 250.0  # p99 of the harness's own lateness


class Entry(msgspec.Struct, frozen=True):
    """One line of the timeline; its number is its place."""

    at_s: float
    until_s: float
    label: str = ""
    colour: str = ""  # of its band
    fault: dict[str, Any] = {}


class ScenarioFacts(msgspec.Struct, frozen=True):
    """What checks and verdict read of scenario.json."""

    name: str = ""
    story: str = ""
    seed: int = 0
    load: LoadFacts = LoadFacts()
    timeline: list[Entry] = []
    checks: list[dict[str, Any]] = []
    drain_s: float = 30.0


class StoredFacts(msgspec.Struct, frozen=True):
    """What the target says of its rows."""

    updates: bool = False
    adds: tuple[str, ...] = ()


class IngestFacts(msgspec.Struct, frozen=True):
    """Where events go in."""

    process: str = ""


class TargetFacts(msgspec.Struct, frozen=True):
    """What checks read of target.json: the manifest, its timing after the scenario's settings."""

    name: str = ""
    timing: Timing = Timing()
    capabilities: Capabilities = Capabilities()
    ingest: IngestFacts = IngestFacts()
    process: tuple[Process, ...] = ()
    stored: StoredFacts = StoredFacts()
    dead_letters: Any = None  # None: the target has none
    queue: Any = None  # None: the target does not say where its backlog is


def read(run: RunDir) -> tuple[ScenarioFacts, TargetFacts]:
    """Both; a run cut off before target.json was written has a target that promises nothing."""
    return _read(run / rundir.SCENARIO, ScenarioFacts), _read(run / rundir.TARGET, TargetFacts)


def _read(path: Path, type_: type[T]) -> T:
    return rundir.read_json(path, type_) if path.exists() else type_()
