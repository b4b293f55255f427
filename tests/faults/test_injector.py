"""The injector plays its timeline in order, heals whatever happened, and keeps no error to itself."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import ClassVar, cast

import pytest

from shaketable.clock import SECOND, SystemClock
from shaketable.errors import HarnessError
from shaketable.faults.fault import FaultContext, Witness
from shaketable.faults.injector import Injector
from shaketable.faults.timeline import At
from shaketable.op import Kind, Op

#: No fault of these tests touches a context.
BENCH = cast(FaultContext, SimpleNamespace(services=SimpleNamespace(store="postgres", queue="redis")))


@dataclass
class Told:
    """A fault that only tells what is done to it."""

    label: str
    calls: list[str]
    fails: str = ""
    healed: threading.Event = field(default_factory=threading.Event)
    injected: threading.Event = field(default_factory=threading.Event)
    kind: ClassVar[str] = "told"
    colour: ClassVar[str] = "#000000"
    blocks_store: ClassVar[bool] = False
    freezes: bool = False
    back: bool | None = None

    def targets(self, context: FaultContext) -> list[str]:
        return [self.label]

    def blocks_intake(self, context: FaultContext) -> bool:
        return False

    def ready(self, context: FaultContext) -> bool | None:
        return self.back

    def _do(self, what: str) -> None:
        self.calls.append(f"{what} {self.label}")
        if what == self.fails:
            raise HarnessError(f"{what} of {self.label} failed")

    def settle(self, context: FaultContext) -> None:
        pass

    def inject(self, context: FaultContext) -> None:
        self._do("inject")
        self.injected.set()

    def heal(self, context: FaultContext) -> None:
        self._do("heal")
        self.healed.set()

    def witness(self, context: FaultContext) -> Witness:
        if self.fails == "witness":
            raise HarnessError("the server is not there")
        return Witness(True, 1, "times", "seen")


def play(*timeline: At) -> tuple[Injector, list[Op]]:
    ops: list[Op] = []
    return Injector(timeline, BENCH, ops.append), ops


def test_at_one_instant_the_old_fault_is_healed_before_the_new_one_comes() -> None:
    calls: list[str] = []
    first, second = Told("a", calls), Told("b", calls)
    injector, ops = play(At(0.05, 0.1, second), At(0, 0.05, first))
    injector.start(time.monotonic_ns())
    assert second.healed.wait(20)
    injector.heal_all()
    assert calls == ["inject a", "heal a", "inject b", "heal b"]
    assert [op.kind for op in ops if op.kind is not Kind.WITNESS] == [Kind.INJECT, Kind.HEAL] * 2


@pytest.mark.parametrize(("back", "told"), [(None, {}), (False, {"ready": False}), (True, {"ready": True})])
def test_healing_tells_whether_what_it_started_is_ready(back: bool | None, told: dict[str, bool]) -> None:
    fault = Told("a", [], back=back)
    injector, ops = play(At(0, 0.02, fault))
    injector.start(time.monotonic_ns())
    assert fault.healed.wait(20)
    injector.heal_all()
    (healed,) = (op for op in ops if op.kind is Kind.HEAL)
    assert {key: value for key, value in healed.detail.items() if key == "ready"} == told


def test_every_injected_fault_has_a_witness_before_it_is_healed() -> None:
    fault = Told("a", [])
    injector, ops = play(At(0, 0.02, fault))
    injector.start(time.monotonic_ns())
    assert fault.healed.wait(20)
    injector.heal_all()
    assert [op.kind for op in ops] == [Kind.INJECT, Kind.WITNESS, Kind.HEAL]
    assert ops[1].detail["landed"] is True


def test_what_cannot_be_looked_at_has_not_been_seen_and_the_run_goes_on() -> None:
    fault = Told("a", [], fails="witness")
    injector, ops = play(At(0, 0.05, fault))
    injector.start(time.monotonic_ns())
    assert fault.healed.wait(20)
    injector.heal_all()
    looks = [op.detail for op in ops if op.kind is Kind.WITNESS]
    told = [(seen["landed"], seen["text"]) for seen in looks]
    assert told == [(False, "could not be looked at: the server is not there")] * 2, "at once, and before healing"


def test_leaving_early_heals_what_is_active_and_plays_no_more() -> None:
    calls: list[str] = []
    active, later = Told("a", calls), Told("b", calls)
    injector, ops = play(At(0, 600, active), At(300, 600, later))
    with injector:
        injector.start(time.monotonic_ns())
        deadline = time.monotonic() + 20
        while not ops and time.monotonic() < deadline:
            time.sleep(0.005)
    assert calls == ["inject a", "heal a"]


def test_half_an_injection_is_healed_and_its_error_reaches_the_main_thread() -> None:
    calls: list[str] = []
    injector, _ = play(At(0, 1, Told("a", calls, fails="inject")))
    injector.start(time.monotonic_ns())
    until(calls, "inject a")
    with pytest.raises(HarnessError, match="inject of a failed"):
        injector.heal_all()
    assert calls == ["inject a", "heal a"]


def test_healing_twice_does_it_once() -> None:
    calls: list[str] = []
    fault = Told("a", calls)
    injector, _ = play(At(0, 0.01, fault))
    injector.start(time.monotonic_ns())
    assert fault.healed.wait(20)
    injector.heal_all()
    injector.heal_all()
    assert calls == ["inject a", "heal a"]


def test_injector_that_never_started_has_nothing_to_heal() -> None:
    calls: list[str] = []
    injector, _ = play(At(0, 1, Told("a", calls)))
    injector.heal_all()
    assert calls == []


def test_what_is_frozen_is_woken_before_anything_else_is_healed() -> None:
    calls: list[str] = []
    slow, frozen, last = Told("slow", calls), Told("frozen", calls, freezes=True), Told("last", calls)
    injector, _ = play(At(0, 0.05, slow), At(0, 0.05, frozen), At(0, 600, last))
    injector.start(time.monotonic_ns())
    assert slow.healed.wait(20)
    assert last.injected.wait(20)
    injector.heal_all()
    assert [call for call in calls if call.startswith("heal")] == ["heal frozen", "heal slow", "heal last"]


def test_all_that_is_active_at_the_end_is_healed_although_one_cannot_be() -> None:
    calls: list[str] = []
    faults = [Told("a", calls), Told("b", calls, fails="heal"), Told("c", calls, freezes=True)]
    injector, ops = play(*(At(0, 600, fault) for fault in faults))
    injector.start(time.monotonic_ns())
    deadline = time.monotonic() + 20
    while len(ops) < 6 and time.monotonic() < deadline:
        time.sleep(0.005)
    with pytest.raises(HarnessError, match="heal of b failed"):
        injector.heal_all()
    assert calls[3:] == ["heal c", "heal a", "heal b", "heal b"]  # what fails is tried once more


@dataclass
class Needs(Told):
    """One that can be healed only after another has been, as a setting of a server that is unavailable."""

    first: Told | None = None

    def heal(self, context: FaultContext) -> None:
        if self.first is not None and not self.first.healed.is_set():
            raise HarnessError("the server is unavailable")
        super().heal(context)


@dataclass
class Hangs(Told):
    """One whose witness does not come back while `stuck` is not set."""

    stuck: threading.Event = field(default_factory=threading.Event)

    def witness(self, context: FaultContext) -> Witness:
        self.calls.append("hangs")
        self.stuck.wait(60)
        return super().witness(context)


def until(calls: list[str], last: str) -> None:
    deadline = time.monotonic() + 20
    while calls[-1:] != [last] and time.monotonic() < deadline:
        time.sleep(0.005)
    assert calls[-1] == last


def test_what_needs_another_healed_first_is_healed_and_told_nevertheless() -> None:
    calls: list[str] = []
    away = Told("away", calls)
    setting = Needs("setting", calls, first=away)
    injector, _ = play(At(0, 600, setting), At(0, 600, away))
    injector.start(time.monotonic_ns())
    assert setting.injected.wait(20)
    assert away.injected.wait(20)
    with pytest.raises(HarnessError, match="the server is unavailable"):
        injector.heal_all()
    assert calls[2:] == ["heal away", "heal setting"]
    assert injector.active() == []


class Impatient(SystemClock):
    """To the main thread all its patience has passed once it has waited for the first of the faults."""

    def __init__(self) -> None:
        self.main, self.asked = threading.get_ident(), 0

    def now(self) -> int:
        self.asked += threading.get_ident() == self.main
        return super().now() + 60 * SECOND * (self.asked > 2)  # the first is for the deadline


def test_thread_that_hangs_in_one_fault_keeps_no_other_from_being_healed() -> None:
    calls: list[str] = []
    hangs = Hangs("b", calls)
    timeline = (At(0, 600, Told("a", calls)), At(0.01, 600, hangs))
    injector = Injector(timeline, BENCH, lambda _: None, Impatient(), action_s=60)
    injector.start(time.monotonic_ns())
    until(calls, "hangs")
    with pytest.raises(HarnessError, match=r"does not come back within 60 s: b"):
        injector.heal_all()
    assert calls[-2:] == ["hangs", "heal a"]
    hangs.stuck.set()
