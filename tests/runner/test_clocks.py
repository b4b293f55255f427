"""A scenario that moves clocks: known by its faults, and skipped where nothing can move them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable import Load, Scenario, checks, faults
from shaketable.cli import playing
from shaketable.faults.fault import Fault
from shaketable.faults.timeline import At
from shaketable.resources import target
from shaketable.runner import phases
from shaketable.runner.order import Order
from shaketable.runner.progress import PlainReporter
from shaketable.runner.scenario import Scenario as Loaded
from shaketable.stack.choice import Choice
from shaketable.stack.wall_clock import library


def scenario(*timeline: Fault) -> Loaded:
    return Scenario(
        story="tested",
        load=Load(rate=1, shake_s=5),
        timeline=tuple(At(1, 2, fault) for fault in timeline),
        checks=(checks.NoLoss(),),
        name="tested",
    )


def test_scenario_moves_clocks_by_its_faults() -> None:
    assert scenario(faults.Down("postgres"), faults.ClockDrift("worker")).moves_clocks
    assert scenario(faults.ClockStep("intake", by_s=-60)).moves_clocks
    assert not scenario(faults.Down("postgres")).moves_clocks


def test_without_the_extra_it_is_skipped_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "find_spec", lambda _: None)
    order = Order(scenario(faults.ClockStep("worker", by_s=60)), target(None), tmp_path)
    found = playing._result(order, 1, lambda order: phases.run(order, PlainReporter()))
    assert found.verdict == "skipped"
    assert "pip install 'shaketable[clock]'" in found.why
    assert list(tmp_path.iterdir()) == []


def test_processes_in_containers_of_compose_keep_their_clocks(tmp_path: Path) -> None:
    order = Order(scenario(faults.ClockStep("worker", by_s=60)), target(None), tmp_path, stack=Choice("compose"))
    found = playing._result(order, 1, lambda order: phases.run(order, PlainReporter()))
    assert (found.verdict, "--stack local" in found.why) == ("skipped", True)
