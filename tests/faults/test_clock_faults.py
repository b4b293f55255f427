"""Faults of a clock, each on real processes that show their time in a Date header, and have a child of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from shaketable.errors import ScenarioError
from shaketable.faults import ClockDrift, ClockStep, Kill
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault
from shaketable.stack.wall_clock import library
from shaketable.target.target import Target
from tests.faults.little_target import landed
from tests.support.waits import last


@pytest.fixture(scope="module")
def faketime() -> Path | None:
    return library.library()


def settled(fault: Fault, context: RunContext) -> None:
    """Inject, and wait as the injector does, however long it takes."""
    fault.inject(context)
    fault.settle(context)
    landed(fault, context)


def shown_s(context: RunContext, name: str) -> float:
    """How far ahead the Date header of a process is; an answer that is held up shows nothing."""
    seen = last(lambda: context.processes.shown_offset_s(name), lambda seen: seen is not None)
    assert seen is not None
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("by_s", [10_800.0, -7200.0])
def test_step_is_shown_by_the_process_until_it_is_healed(by_s: float, context: RunContext, target: Target) -> None:
    fault = ClockStep("worker-1", by_s)
    assert not fault.witness(context).landed
    settled(fault, context)
    seen = landed(fault, context)
    assert (seen.landed, seen.unit) == (True, "reads of a clock")
    assert seen.figure > 0
    assert seen.text.startswith(f"worker-1 {by_s:+,.1f} s, ")
    assert shown_s(context, "worker-1") == pytest.approx(by_s, abs=4)
    assert shown_s(context, "worker-2") == pytest.approx(0, abs=4)
    fault.heal(context)
    assert not fault.witness(context).landed
    assert context.processes.clock("worker-1").offset_s == 0
    fault.heal(context)


def test_drift_grows_on_all_of_a_role_and_goes_with_the_healing(context: RunContext, target: Target) -> None:
    fault = ClockDrift("worker", rate=20)
    settled(fault, context)
    assert landed(fault, context).landed
    offsets = [context.processes.clock(name).offset_s for name in target.instances]
    assert min(offsets) > 0
    fault.heal(context)
    assert [context.processes.clock(name).offset_s for name in target.instances] == [0, 0]


def test_process_that_is_started_meanwhile_has_the_wrong_clock(context: RunContext, target: Target) -> None:
    fault, kill = ClockStep("worker-1", 10_800.0), Kill("worker-1")
    fault.inject(context)
    kill.inject(context)
    assert not fault.witness(context).landed  # it is not running
    kill.heal(context)
    assert landed(fault, context).landed
    assert shown_s(context, "worker-1") == pytest.approx(10_800, abs=4)
    fault.heal(context)


def test_process_that_shows_another_time_has_not_landed(
    context: RunContext, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = ClockStep("worker-1", 10_800.0)
    settled(fault, context)
    monkeypatch.setattr(context.processes, "shown_offset_s", lambda _: 0.0)
    assert not fault.witness(context).landed
    monkeypatch.setattr(context.processes, "shown_offset_s", lambda _: None)
    assert landed(fault, context).landed
    monkeypatch.setattr(context.processes.clock("worker-1"), "without", lambda pids: pids[:1])
    assert "not loaded in 1 of 2 processes" in fault.witness(context).text
    assert not fault.witness(context).landed
    monkeypatch.undo()
    fault.heal(context)


@pytest.mark.parametrize(
    ("by_s", "told"), [(5_184_000, "+60 d"), (-7200, "-2 h"), (90.5, "+90.5 s"), (-60, "-1 min"), (7201, "+7,201 s")]
)
def test_label_names_the_step_in_its_largest_unit(by_s: float, told: str) -> None:
    assert ClockStep("worker", by_s).label == f"worker: clock {told}"


@pytest.mark.parametrize("by_s", [0.0, 0.5, -4e8])
def test_step_that_means_nothing_is_refused(by_s: float) -> None:
    with pytest.raises(ScenarioError, match="10 years"):
        ClockStep("worker", by_s)


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0, 101.0])
def test_drift_that_means_nothing_is_refused(rate: float) -> None:
    with pytest.raises(ScenarioError, match="rate"):
        ClockDrift("worker", rate)
