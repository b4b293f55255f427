"""One trial: a short load on a fresh world, one process broken at one point, and the delivery checks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from shaketable import checks
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.crash_points.crash import CrashPoint
from shaketable.crash_points.point import DONE, How, Point
from shaketable.crash_points.relayed import RelayedServers
from shaketable.errors import ShaketableError
from shaketable.faults.timeline import At, Timeline
from shaketable.load.mix import Mix
from shaketable.load.schedule import Load
from shaketable.report import judging
from shaketable.runner import phases
from shaketable.runner.order import Order
from shaketable.runner.progress import Reporter
from shaketable.runner.scenario import Scenario

#: Events a second by default; and seconds before the fault, from its injection to its healing, and after it.
RATE, BASELINE_S, RECOVER_S = 60.0, 0.5, 1.0
SHAKE_S: dict[How, float] = {"kill": 2.5, "term": 2.5, "cut": 2.5, "freeze": 5.0}  # a freeze must outlast LEASE_S
#: Short times of the target, where its [settings] take them: what a dead process holds must come back in a trial.
LEASE_S = 2.0
SETTINGS = {
    "lease_s": LEASE_S,
    "attempt_timeout_s": 2,
    "enqueue_timeout_s": 1,
    "breaker_recovery_s": 1,
    "retry_base_s": 0.2,
    "retry_cap_s": 1,
}
#: Each kind of resend is among the 240 events of a trial, and events whose order is known meet in one batch.
MIX = Mix(resent=0.05, ordered=0.3, ordered_run=4)
#: The checks of delivery: lanes disturb each other's times, so no check of time counts.
DELIVERY = (
    checks.NoLoss(),
    checks.NoDuplicates(),
    checks.NothingInvented(),
    checks.OrderKept(),
    checks.ContentIntact(),
    checks.RefusesRightly(),
)


@dataclass(frozen=True)
class PointTrial:
    """The outcome at one point. `reached` is None where the trial did not get so far."""

    point: Point
    how: How
    verdict: Verdict
    reached: bool | None = None
    failed: tuple[str, ...] = ()  # the delivery checks
    why: str = ""
    seconds: float = 0.0
    run: Path | None = None
    doc: VerdictDoc | None = None


def scenario(point: Point | None, how: How, seed: int, rate: float = RATE) -> Scenario:
    """The scenario of a point; of the survey, which has no fault, for None. `rate` is in events a second."""
    shake_s = SHAKE_S[how]
    crash = CrashPoint(point.process, point.service, point.message, point.when, how) if point else None
    timeline: Timeline = (At(0.0, shake_s, crash),) if crash else ()
    story = f"{point.told(how)}: nothing is lost" if point else "Nothing is broken: every message is noted."
    return Scenario(
        story=story,
        name=f"crash_point_{DONE[how].replace(' ', '_')}" if point else "crash_points_survey",
        load=Load(rate, BASELINE_S, shake_s, RECOVER_S, unsent_bound=0.5, lateness_bound_ms=10_000),
        timeline=timeline,
        checks=DELIVERY,
        settings=SETTINGS,
        mix=MIX,
        drain_s=15.0,
        resend_for_s=15.0,
        seed=seed,
    )


def play(
    point: Point,
    how: How,
    seed: int,
    target: Path,
    runs: Path,
    stack: RelayedServers,
    show: Reporter,
    rate: float = RATE,
) -> PointTrial:
    """Play and judge one. An error of the harness, or a target that does not start, makes it unknown."""
    began = time.monotonic()
    try:
        run = phases.run(Order(scenario(point, how, seed, rate), target, runs, stack=stack), show)
        doc = judging.judge(run)
    except ShaketableError as e:
        why = f"{type(e).__name__}: {e}"
        return PointTrial(point, how, Verdict.UNKNOWN, why=why, seconds=time.monotonic() - began)
    failed = tuple(name for name, found in doc.checks.items() if found.required and found.verdict is Verdict.FAILED)
    why = "; ".join([*doc.reasons, *(doc.checks[name].why for name in failed)])
    return PointTrial(point, how, doc.verdict, _reached(doc), failed, why, time.monotonic() - began, run.path, doc)


def _reached(doc: VerdictDoc) -> bool | None:
    """Whether the message came; None where the trial ended before, or something else went wrong with it."""
    fault = doc.faults[0] if doc.faults else None
    if fault is None or not fault.injected or (not fault.landed and len(doc.reasons) > 1):
        return None
    return fault.landed
