"""One run, phase by phase.

    1. prepare   reserve ports, start the stack, draw corpus and schedule, start the target, open the probes
    2. baseline  the load begins; nothing is broken: can the harness keep its schedule, does every link pass?
    3. shake     the injector plays the timeline
    4. heal      whatever happened, nothing stays broken; read back
    5. recover   the load goes on
    6. drain     until every acknowledged event is kept, and nothing has changed for a while
    7. observe   read what was kept, past every link

Judging is not part of it: `check` and `report` work on what a run leaves, a half-finished one too, and every phase is
on disk before the next begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from shaketable import plural, rundir
from shaketable.clock import SECOND, SystemClock
from shaketable.errors import UnexpectedFailure
from shaketable.evidence import environment as surroundings
from shaketable.evidence import observe
from shaketable.evidence.backlog import Backlog, Counts
from shaketable.evidence.probe import Probe
from shaketable.evidence.recorder import Recorder
from shaketable.faults.context import RunContext
from shaketable.faults.injector import Injector
from shaketable.faults.timeline import check_apart
from shaketable.load.locust_process import LocustProcess, users_for
from shaketable.op import Kind, Op
from shaketable.rundir import RunDir
from shaketable.runner import inputs, playable
from shaketable.runner.bring_up import bring_up
from shaketable.runner.drain import Drain, Drained, Patience
from shaketable.runner.liveness import Liveness, Watched
from shaketable.runner.order import Order
from shaketable.runner.progress import Reporter, Status
from shaketable.stack import ports
from shaketable.stack.log_bound import LogBound
from shaketable.stack.process import Child, environment
from shaketable.stack.supervisor import Supervisor
from shaketable.target import environments
from shaketable.target import manifest as manifests
from shaketable.target.environments import installed
from shaketable.target.manifest import Manifest
from shaketable.target.settings import not_taken
from shaketable.target.target import Target
from shaketable.target.transitions import FILE, collect, last_state

#: Seconds between two looks of the main thread.
TICK_S = 0.1
#: Seconds that the load generator may take to open its users.
OPEN_S = 60.0
#: Seconds beyond the resend budget after which a load that has not ended is ended.
OVERTIME_S = 10.0


def run(order: Order, show: Reporter) -> RunDir:
    """Play one run and return its directory, which holds all but the verdict.

    Raises ScenarioError, ManifestError, ToolchainMissing, TargetError or HarnessError; whatever happens, nothing stays
    running or broken.
    """
    manifest = playable.fitted(order.scenario, manifests.load(order.target))
    if order.port_base is not None:
        ports.check_base(order.port_base)
    programs = environments.programs(manifest, order.target.resolve().parent, show.print)
    directory = rundir.create(order.runs, order.scenario.name, manifest.name)
    opened = ExitStack()
    playing = _Run(order, manifest, programs, directory, show, opened)
    try:
        with playing.logs, opened:
            playing.play()
    except Exception as e:
        if not playing.ended_early:
            raise
        show.print(f"while ending early: {type(e).__name__}: {e}")
    return directory


class _Run:
    """The things of one run, opened in order and closed in reverse."""

    def __init__(
        self, order: Order, manifest: Manifest, programs: Mapping[str, str], directory: RunDir, show: Reporter,
        opened: ExitStack,
    ) -> None:  # fmt: skip
        self._order, self._manifest, self._run, self._show, self._open = order, manifest, directory, show, opened
        self._programs = programs
        self._scenario, self._clock = order.scenario, SystemClock()
        self._id = directory.path.name.split("-")[1]
        self._healed_at = 0
        self._recorders: list[Recorder] = []
        self._own_children: list[Callable[[], Sequence[Watched]]] = []
        self._alive = Liveness(lambda: [child for children in self._own_children for child in children()])
        self.logs, self.ended_early = LogBound(directory.logs), False

    def play(self) -> None:
        """The phases, in order, until a process of the harness's own fails unordered."""
        self._phases = self._record(rundir.PHASES, "run")
        rundir.write_json(self._run / rundir.SCENARIO, self._scenario.to_json())  # first: without it nothing is judged
        if self._order.asked:
            rundir.write_json(self._run / rundir.ASKED, self._order.asked)
        self._enter("prepare")
        self._scheduled = self._write_inputs()
        events = plural.counted(self._scheduled, "events")
        self._show.print(f"{self._scenario.name} on {self._manifest.name}: {events}, run {self._id}")
        try:
            self._prepare()
        except Exception as e:
            if failures := self._alive.behind(e):
                raise UnexpectedFailure(failures) from e
            raise
        try:
            self._play_on()
        except Exception as e:
            if not (failures := self._alive.behind(e)):
                raise
            self._end_early(failures)

    def _end_early(self, failures: Sequence[str]) -> None:
        self.ended_early = True
        for text in failures:
            self._show.print(f"{text}: the run ends early and is unknown")
            self._phases(Op("run", Kind.FAILURE, self._clock.now(), detail={"text": text}))

    def _play_on(self) -> None:
        self._shake_and_recover()
        drained = self._drain()
        self._enter("observe", missing=drained.missing, drained=drained.complete, quiet=drained.quiet)
        observe.everything(self._run, self._stack, self._manifest, self._backlog)
        collect(self._run, self._state)
        self._tell_cuts()
        self._alive.raise_error()
        if restarts := observe.restarts(self._run):
            raise UnexpectedFailure(restarts)
        self._enter("end")

    def _write_inputs(self) -> int:
        run, scenario = self._run, self._scenario
        told = {**surroundings.read(), "stack": self._order.stack.kind}
        told |= {"target_packages": installed.packages(self._programs)}
        if ignored := not_taken(scenario.settings, self._manifest):
            told |= {"settings_not_taken": ignored}
            names = ", ".join(f"{name} = {value}" for name, value in ignored.items())
            self._show.print(f"settings that did not reach {self._manifest.name}, whose [settings] lacks them: {names}")
        rundir.write_json(run / rundir.ENVIRONMENT, told)
        return inputs.take_over(run, self._order.replay) if self._order.replay else inputs.draw(run, scenario)

    def _prepare(self) -> None:
        """Everything up and answering, before the first event is sent."""
        supervisor = self._open.enter_context(closing(Supervisor(self._id)))
        block = self._open.enter_context(ports.reserve(self._order.port_base))
        self._state = self._run / "state"
        faults, probes = self._record(rundir.FAULTS, "injector"), self._record(rundir.PROBES, "probe")
        stack = self._order.stack.open(self._id, block, supervisor, self._run.logs, self._show.print)
        self._stack = self._open.enter_context(stack)
        self._own_children += [lambda: [supervisor.child], lambda: self._stack.children]
        self._open.enter_context(self._alive)
        self._target = Target(
            self._manifest, self._order.target.resolve().parent, self._stack, supervisor, run_id=self._id,
            state=self._state, logs=self._run.logs, settings=self._scenario.settings, record=probes,
            programs=self._programs,
        )  # fmt: skip
        self._open.callback(self._target.stop_all)
        self._manifest = self._target.located()
        event_ids = partial(inputs.event_ids, self._run)
        self._context = self._open.enter_context(RunContext(self._stack, self._target, faults, event_ids))
        self._injector = self._open.enter_context(Injector(self._scenario.timeline, self._context, faults))
        timeline = self._scenario.timeline
        # raises before the target is started if a fault is aimed at nothing, or two at one thing
        check_apart(timeline, [entry.fault.aims(self._context) for entry in timeline])
        self._write_target()
        bring_up(self._target, self._stack, self._manifest)
        self._context.check_links()
        self._backlog = self._open.enter_context(Backlog(self._stack, self._manifest))
        probed = self._open.enter_context(Backlog(self._stack, self._manifest))
        self._probe = self._open.enter_context(Probe(self._target, probed, probes))
        self._driver = self._make_driver(supervisor)

    def _write_target(self) -> None:
        told: dict[str, Any] = msgspec.to_builtins(self._manifest)
        rundir.write_json(self._run / rundir.TARGET, {**told, "timing": msgspec.to_builtins(self._target.timing)})

    def _make_driver(self, supervisor: Supervisor) -> LocustProcess:
        home = self._state / "load"
        home.mkdir()

        def start(command: Sequence[str], log: Path) -> Child:
            return supervisor.spawn("load", command, env=environment(home), cwd=home, log=log)

        return LocustProcess(
            self._run, f"http://{self._target.intake.listen}", env={}, cwd=home,
            users=users_for(self._scenario.load.rate), path=self._manifest.ingest.path,
            resend_for_s=self._scenario.resend_for_s, definite_refusals=self._manifest.ingest.definite_refusals,
            spawn=start,
        )  # fmt: skip

    def _shake_and_recover(self) -> None:
        load = self._scenario.load
        self._driver.start()
        self._open.callback(self._driver.stop)
        began = self._driver.wait_started(OPEN_S)
        self._enter("baseline", at=began)
        shake = began + int(load.baseline_s * SECOND)
        heal = shake + int(load.shake_s * SECOND)
        end = heal + int(load.recover_s * SECOND)
        self._until(shake, "baseline", end)
        self._enter("shake")
        self._injector.start(shake)
        self._until(heal, "shake", end)
        self._enter("heal")
        self._injector.heal_all()
        self._context.check_links()
        self._healed_at = self._clock.now()
        self._enter("recover")
        self._until(end, "recover", end)
        self._await_load_end(end)

    def _until(self, at: int, phase: str, end: int) -> None:
        """Let it go on until `at`, watching; a load that ends by itself before its time ends the run."""
        while (now := self._clock.now()) < at:
            self._tick(phase, (end - now) / SECOND)
            self._clock.sleep(min(TICK_S, (at - now) / SECOND))

    def _await_load_end(self, end: int) -> None:
        """Resends and held-back events may take a while longer: as long as a client would try."""
        deadline = end + int((self._scenario.resend_for_s + OVERTIME_S) * SECOND)
        while not self._driver.progress().done and self._clock.now() < deadline:
            self._tick("resend", None)
            self._clock.sleep(TICK_S)
        self._driver.stop()

    def _drain(self) -> Drained:
        self._enter("drain")
        lease_s = self._target.timing.lease_s
        patience = Patience.of(self._scenario.drain_s, lease_s, faults=bool(self._scenario.timeline))
        if patience.too_short:
            self._show.print(
                f"the target's lease is {lease_s:g} s, longer than the drain: later duplicates stay unseen"
            )
        kept = partial(observe.persisted_ids, self._stack, self._manifest)
        acknowledged = self._driver.acknowledged() - inputs.malformed_ids(self._run)
        drain = Drain(self._backlog, kept, acknowledged, patience, self._clock)
        return drain.wait(self._healed_at, lambda counts: self._tick("drain", None, counts))

    def _tick(self, phase: str, left_s: float | None, counts: Counts | None = None) -> None:
        """One look: bring back what died unasked, raise what a thread could not, show how it stands."""
        for name in self._target.revive():
            self._show.print(f"{name} died by itself: see logs/{name}.log")
        self._tell_cuts()
        self._alive.raise_error()
        self._injector.raise_error()
        for recorder in self._recorders:
            recorder.raise_error()
        seen, sent = self._probe.latest, self._driver.progress()
        self._show.update(Status(
            phase, left_s, self._scheduled, sent.acknowledged, counts.stored if counts else seen.get("stored"),
            counts.queue if counts else seen.get("queue"), seen.get("health"), seen.get("breaker"),
            self._injector.active(), self._breakers(),
        ))  # fmt: skip

    def _tell_cuts(self) -> None:
        for name in self.logs.newly_cut():
            self._show.print(f"logs/{name} grew too long and was cut")
            self._phases(Op("run", Kind.CUT, self._clock.now(), detail={"log": name}))

    def _breakers(self) -> dict[str, str]:
        """The state of each process's breaker, as it wrote it last."""
        found = {name: last_state(self._state / name / FILE) for name in self._target.instances}
        return {name: state for name, state in found.items() if state}

    def _record(self, name: str, process: str) -> Recorder:
        recorder = self._open.enter_context(Recorder(self._run / name, process))
        self._recorders.append(recorder)
        return recorder

    def _enter(self, phase: str, at: int | None = None, **more: Any) -> None:
        self._phases(Op("run", Kind.PHASE, at or self._clock.now(), detail={"name": phase, **more}))
        self._phases.raise_error()
