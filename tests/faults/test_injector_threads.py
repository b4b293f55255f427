"""Each fault has a thread: one that heals slowly, or takes effect late, does not disturb the others."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.timeline import At
from shaketable.op import Kind
from tests.faults.test_injector import Told, play, until


@dataclass
class Slow(Told):
    """One whose healing does not come back while `stuck` is not set."""

    stuck: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def heal(self, context: FaultContext) -> None:
        self.begun.set()
        self.stuck.wait(60)
        super().heal(context)


def test_slow_healing_does_not_delay_the_next_fault() -> None:
    calls: list[str] = []
    slow, later = Slow("a", calls), Told("b", calls)
    injector, _ = play(At(0, 0.02, slow), At(0.05, 0.1, later))
    injector.start(time.monotonic_ns())
    assert slow.begun.wait(20)
    assert later.healed.wait(20)
    assert sorted(calls) == ["heal b", "inject a", "inject b"]
    slow.stuck.set()
    assert slow.healed.wait(20)
    injector.heal_all()


def test_next_fault_on_the_same_thing_waits_for_the_slow_healing() -> None:
    calls: list[str] = []
    slow, later = Slow("a", calls), Told("a", calls)
    injector, _ = play(At(0, 0.02, slow), At(0.05, 0.1, later))
    injector.start(time.monotonic_ns())
    until(calls, "inject a")
    threading.Timer(0.2, slow.stuck.set).start()
    assert later.healed.wait(20)
    injector.heal_all()
    assert calls == ["inject a", "heal a"] * 2


@dataclass
class Late(Told):
    """One that takes effect only when it is waited for, as the end of a process in a short window."""

    done: bool = False

    def settle(self, context: FaultContext) -> None:
        self.done = True

    def witness(self, context: FaultContext) -> Witness:
        return Witness(self.done, float(self.done), "times", "seen")


def test_fault_that_takes_effect_late_is_witnessed_before_it_is_healed() -> None:
    fault = Late("a", [])
    injector, ops = play(At(0, 0.02, fault))
    injector.start(time.monotonic_ns())
    assert fault.healed.wait(20)
    injector.heal_all()
    assert [op.kind for op in ops] == [Kind.INJECT, Kind.WITNESS, Kind.WITNESS, Kind.HEAL]
    assert [op.detail["landed"] for op in ops if op.kind is Kind.WITNESS] == [False, True]


def test_end_by_an_error_waits_for_no_effect() -> None:
    fault = Late("a", [])
    injector, ops = play(At(0, 600, fault))
    injector.start(time.monotonic_ns())
    deadline = time.monotonic() + 20
    while len(ops) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    injector.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert (fault.done, fault.calls) == (False, ["inject a", "heal a"])
