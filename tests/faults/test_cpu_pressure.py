"""Busy processes beside the target's: it waits for a CPU, and they end when healed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import cast

import psutil
import pytest

from shaketable.errors import HarnessError, ScenarioError
from shaketable.faults import CpuPressure
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Closeable
from shaketable.stack.process import Child
from shaketable.target.target import Target
from tests.faults.little_target import all_gone, answers


@pytest.mark.slow
@pytest.mark.alone
def test_busy_processes_make_the_target_wait_and_end_when_healed(context: RunContext, target: Target) -> None:
    fault = CpuPressure(4)
    assert not fault.witness(context).landed
    fault.inject(context)
    deadline = time.monotonic() + 20
    while not (seen := fault.witness(context)).landed and time.monotonic() < deadline:
        answers(target, "worker-1")  # who does nothing waits for nothing
    assert seen.landed, seen.text
    busy = [
        p for p in psutil.Process().children(recursive=True) if _is(p, lambda p: "os.nice" in " ".join(p.cmdline()))
    ]
    assert len(busy) == 4 * len(os.sched_getaffinity(0))
    fault.heal(context)
    assert all_gone(busy)
    assert not fault.witness(context).landed


@pytest.mark.slow
def test_pressure_that_is_none_has_not_landed_on_a_target_that_idles(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context.processes, "run_helper", lambda *_: ExitStack())
    monkeypatch.setattr("shaketable.faults.kinds.cpu_pressure._times", lambda _: {"ran_ms": 0.0, "waited_ms": 0.0})
    fault = CpuPressure()
    fault.inject(context)
    monkeypatch.setattr("shaketable.faults.kinds.cpu_pressure._times", lambda _: {"ran_ms": 1.0, "waited_ms": 40.0})
    assert not fault.witness(context).landed


@pytest.mark.slow
def test_busy_processes_are_ended_although_one_could_not_be_started(
    context: RunContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, beside = list[Closeable](), context.processes.run_helper

    def scarce(name: str, command: list[str]) -> Closeable:
        if started:
            raise HarnessError("no more processes")
        started.append(beside(name, command))
        return started[-1]

    monkeypatch.setattr(context.processes, "run_helper", scarce)
    fault = CpuPressure()
    with pytest.raises(HarnessError, match="no more"):
        fault.inject(context)
    busy = cast(Child, started[0]).tree()
    assert busy != []
    fault.heal(context)
    assert all_gone(busy)


def _is(process: psutil.Process, what: Callable[[psutil.Process], bool]) -> bool:
    try:
        return what(process)
    except psutil.Error:
        return False


@pytest.mark.parametrize("per_core", [0, -2, 100])
def test_pressure_that_is_none_or_too_much_is_refused(per_core: int) -> None:
    with pytest.raises(ScenarioError, match=f"got {per_core}"):
        CpuPressure(per_core)
