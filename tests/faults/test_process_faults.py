"""Faults on processes, each on real ones that answer over HTTP, hold a transaction and have a child of their own."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from shaketable.errors import HarnessError, ScenarioError
from shaketable.faults import CpuPressure, Kill, Pause, Restart, Terminate
from shaketable.faults.context import RunContext
from shaketable.faults.fault import Fault
from shaketable.faults.injector import Injector
from shaketable.faults.kinds import processes
from shaketable.faults.timeline import At
from shaketable.op import Kind, Op
from shaketable.target.target import Target
from tests.faults.little_target import all_gone, answers, landed, tree


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process held is known however late Postgres answers."""
    monkeypatch.setattr(processes, "ASK_S", 30)


@pytest.mark.parametrize("fault", [Kill("worker-1"), Terminate("worker-1")], ids=lambda fault: fault.label)
def test_process_is_gone_with_its_child_until_it_is_healed(fault: Fault, context: RunContext, target: Target) -> None:
    old = tree(target, "worker-1")
    assert len(old) == 2
    assert not fault.witness(context).landed
    fault.inject(context)
    seen = landed(fault, context)
    assert (seen.landed, seen.figure, seen.unit) == (True, 1, "processes gone")
    assert "holding 1 sessions, 1 of them in a transaction" in seen.text
    assert all_gone(old)
    assert answers(target, "worker-2")
    fault.heal(context)
    assert not fault.witness(context).landed
    assert answers(target, "worker-1"), "healed is only what is ready"


def test_frozen_process_is_silent_with_its_child_and_goes_on_as_the_same(context: RunContext, target: Target) -> None:
    fault, old = Pause("worker"), tree(target, "worker-1")
    assert not fault.witness(context).landed
    fault.inject(context)
    seen = landed(fault, context)  # a process stops when it is next on a CPU
    assert (seen.landed, seen.figure) == (True, 2)
    assert "holding 2 sessions, 2 of them in a transaction" in seen.text
    assert {p.status() for p in old} == {psutil.STATUS_STOPPED}
    assert not answers(target, "worker-1", 0.3)
    fault.heal(context)
    assert not fault.witness(context).landed
    assert answers(target, "worker-1")
    assert tree(target, "worker-1") == old


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["terminate", "kill"])
def test_restarted_processes_are_new_ready_and_never_away_both(
    mode: str, context: RunContext, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault, looked, start = Restart("worker", mode), threading.Event(), context.processes.start  # type: ignore[arg-type]
    monkeypatch.setattr(context.processes, "start", lambda name: looked.wait(60) and start(name))
    assert not fault.witness(context).landed
    fault.inject(context)
    deadline = time.monotonic() + 60
    while not (seen := fault.witness(context)).landed and time.monotonic() < deadline:
        # twice: between two looks the one may have come and the other gone
        assert any(answers(target, name) for name in (*target.instances, *target.instances)), "both are unavailable"
        looked.set()
    assert (seen.landed, seen.figure, seen.unit) == (True, 2, "processes new")
    assert [target.becomes_ready(name) for name in target.instances] == [True, True]
    assert [answers(target, name) for name in target.instances] == [True, True]
    assert [instance.incarnation for instance in target.instances.values()] == [2, 2]
    fault.heal(context)
    assert [instance.incarnation for instance in target.instances.values()] == [2, 2]


@pytest.mark.slow
def test_healing_twice_and_before_injecting_is_harmless(context: RunContext, target: Target) -> None:
    faults: list[Fault] = [
        Kill("worker-1"),
        Terminate("worker-1"),
        Pause("worker-1"),
        Restart("worker-1"),
        CpuPressure(1),
    ]
    for fault, incarnation in zip(faults, (1, 2, 3, 3, 4), strict=True):
        fault.heal(context)
        assert target.instances["worker-1"].incarnation == incarnation
        fault.inject(context)
        assert fault.kind == "cpu_pressure" or landed(fault, context).landed
        fault.heal(context)
        healed = target.instances["worker-1"].incarnation
        fault.heal(context)
        assert target.instances["worker-1"].incarnation == healed
        assert answers(target, "worker-1")


@pytest.mark.slow
@pytest.mark.parametrize("end", [Kill("worker-1"), Terminate("worker-1")], ids=lambda fault: fault.label)
def test_frozen_process_can_be_ended_and_the_freeze_healed_after(
    end: Fault, context: RunContext, target: Target
) -> None:
    freeze, old = Pause("worker-1"), tree(target, "worker-1")
    freeze.inject(context)
    began = time.monotonic()
    end.inject(context)
    assert landed(end, context).landed
    assert time.monotonic() - began < 20  # tolerance: a busy machine; a frozen process never ends by itself
    assert all_gone(old)
    freeze.heal(context)
    end.heal(context)
    assert answers(target, "worker-1")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Terminate("worker"), Restart("worker")], ids=lambda fault: fault.kind)
def test_end_that_takes_longer_than_its_window_is_witnessed(fault: Fault, context: RunContext, target: Target) -> None:
    ops: list[Op] = []
    injector = Injector((At(0, 0.01, fault),), context, ops.append)
    injector.start(time.monotonic_ns())
    deadline = time.monotonic() + 60
    while not any(op.kind is Kind.HEAL for op in ops) and time.monotonic() < deadline:
        time.sleep(0.01)
    injector.heal_all()
    assert [op.detail["landed"] for op in ops if op.kind is Kind.WITNESS][-1] is True
    assert [answers(target, name) for name in target.instances] == [True, True]
    assert [instance.incarnation for instance in target.instances.values()] == [2, 2]


@pytest.mark.slow
def test_ending_that_takes_long_holds_no_other_fault_up(
    context: RunContext, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, held, stop = threading.Event(), list[bool](), context.processes.stop

    def stops(name: str) -> None:
        held.append(go_on.wait(30))
        stop(name)

    monkeypatch.setattr(context.processes, "stop", stops)
    (target.instances["worker-1"].state / "stubborn").touch()
    target.stop("worker-1")
    target.start("worker-1")
    target.await_ready("worker-1")
    for fault in (Restart("worker-1"), Terminate("worker-1")):
        go_on.clear()
        fault.inject(context)
        go_on.set()  # it came back meanwhile
        assert landed(fault, context).landed
        fault.heal(context)
        assert answers(target, "worker-1")
    assert held == [True, True]


@pytest.mark.parametrize("fault", [Kill("worker-1"), Terminate("worker-1")], ids=lambda fault: fault.label)
def test_end_of_a_process_that_is_gone_already_has_not_landed(
    fault: Fault, context: RunContext, target: Target
) -> None:
    target.kill("worker-1")
    fault.inject(context)
    seen = fault.witness(context)
    fault.heal(context)
    assert (seen.landed, seen.figure, seen.text) == (False, 0, "met nobody")


def test_process_that_has_left_another_behind_is_not_gone(context: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Kill("worker-1")
    fault.inject(context)
    with monkeypatch.context() as patched:
        patched.setattr(context.processes, "left", lambda _: [1])
        assert not fault.witness(context).landed
    assert fault.witness(context).landed
    fault.heal(context)


def test_process_that_does_not_come_back_is_noted_and_no_error(
    context: RunContext, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Kill("worker")
    fault.inject(context)
    monkeypatch.setattr(context.processes, "await_ready", lambda name: name == "worker-1")
    assert fault.ready(context) is None
    fault.heal(context)
    assert fault.ready(context) is False
    monkeypatch.undo()
    fault.heal(context)
    assert fault.ready(context) is True


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Terminate("worker-1"), Restart("worker-1")], ids=lambda fault: fault.kind)
def test_what_is_away_is_started_although_a_turn_raised(
    fault: Fault, context: RunContext, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(instance: str) -> None:
        target.kill(instance)
        raise HarnessError(f"{instance} did not do as it was told")

    monkeypatch.setattr(context.processes, "stop", broken)
    fault.inject(context)
    with pytest.raises(HarnessError, match="as it was told"):
        fault.heal(context)
    assert answers(target, "worker-1")


def test_process_that_is_gone_cannot_be_frozen_and_is_not_said_to_be(context: RunContext) -> None:
    Kill("worker-1").inject(context)
    Pause("worker-1").inject(context)
    assert not Pause("worker-1").witness(context).landed


@pytest.mark.slow
def test_restart_of_a_process_that_was_gone_already_has_not_landed(context: RunContext, target: Target) -> None:
    target.kill("worker-1")
    alone, both = Restart("worker-1"), Restart("worker")
    alone.inject(context)
    alone.heal(context)
    seen = alone.witness(context)
    assert (seen.landed, seen.figure, seen.text) == (False, 0, "worker-1 was not there")
    target.kill("worker-1")
    both.inject(context)
    seen = landed(both, context)
    both.heal(context)
    assert (seen.landed, seen.figure) == (True, 1)
    assert seen.text.startswith("worker-1 was not there, worker-2 ended in ")


@pytest.mark.slow
def test_process_that_does_not_heed_sigterm_is_killed_after_its_grace(context: RunContext, target: Target) -> None:
    (target.instances["worker-1"].state / "stubborn").touch()
    again = Restart("worker-1")
    again.inject(context)  # the next incarnation is stubborn
    assert landed(again, context).landed
    again.heal(context)
    old = tree(target, "worker-1")
    fault = Terminate("worker-1")
    fault.inject(context)
    assert landed(fault, context).landed
    assert all_gone(old)
    child = target.instances["worker-1"].child
    assert child is not None
    assert child.poll() == -signal.SIGKILL


def test_everything_ends_at_the_end_of_a_run_although_it_is_frozen(context: RunContext, target: Target) -> None:
    old = [process for name in target.instances for process in tree(target, name)]
    Pause("worker").inject(context)
    target.stop_all()
    assert all_gone(old)


@pytest.mark.slow
def test_end_that_was_asked_for_is_not_taken_for_a_death(context: RunContext, target: Target, ops: list[Op]) -> None:
    faults: list[Fault] = [Kill("worker-1"), Terminate("worker-1"), Restart("worker-1")]
    for fault in faults:
        fault.inject(context)
        deadline = time.monotonic() + 60
        while not fault.witness(context).landed:
            assert target.revive() == []
            assert time.monotonic() < deadline, fault.witness(context).text
        fault.heal(context)
        assert target.revive() == []
    assert [op.detail["asked"] for op in ops if op.kind is Kind.EXIT] == [True] * 3


def test_fault_aimed_at_nobody_says_so_before_anything_is_broken(context: RunContext) -> None:
    kinds: list[Callable[[str], Fault]] = [Kill, Terminate, Pause, Restart]
    for kind in kinds:
        with pytest.raises(ScenarioError, match="nobody"):
            kind("nobody").targets(context)
