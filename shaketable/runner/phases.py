"""One run, phase by phase.

Judging is not part of it: `check` and `report` work on a run directory, a half-finished one too.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from shaketable import plural, rundir
from shaketable.checks.kinds.recovers_in_time import RecoversInTime
from shaketable.checks.kinds.usual import usual_s
from shaketable.clock import SECOND, SystemClock
from shaketable.errors import NotPlayable, UnexpectedFailure
from shaketable.evidence import durability, observe
from shaketable.evidence import environment as machine
from shaketable.evidence.backlog import Backlog
from shaketable.evidence.cpu import CpuOfOthers
from shaketable.evidence.probe import Probe
from shaketable.evidence.recorder import Recorder
from shaketable.faults.context import RunContext
from shaketable.faults.injector import Injector
from shaketable.faults.timeline import check_apart
from shaketable.load import headers
from shaketable.load.distributed.workers import Workers
from shaketable.load.locust_process import LocustProcess
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.rundir import RunDir
from shaketable.runner import inputs, playable
from shaketable.runner.bring_up import bring_up
from shaketable.runner.drain import Drain, Drained, Patience
from shaketable.runner.early_end import EarlyEnd
from shaketable.runner.journal import PhaseJournal
from shaketable.runner.liveness import Liveness
from shaketable.runner.load_process import check_sender, load_process
from shaketable.runner.monitor import Monitor
from shaketable.runner.order import Order
from shaketable.runner.progress import Reporter
from shaketable.runner.scenario import Scenario
from shaketable.stack import ports
from shaketable.stack.log_bound import LogBound
from shaketable.stack.ports import Ports
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.stack.wall_clock import clocks, library
from shaketable.target import breaker_log, environments, services
from shaketable.target import manifest as manifests
from shaketable.target.environments import installed
from shaketable.target.manifest import Manifest
from shaketable.target.settings import not_taken
from shaketable.target.target import Target
from shaketable.target.transitions import collect

#: Seconds that the load generator may take to open its users.
OPEN_S = 60.0
#: Seconds that workers elsewhere may take to connect.
ELSEWHERE_S = 600.0
#: Seconds beyond the resend budget after which a load that has not ended is ended.
OVERTIME_S = 10.0


def run(order: Order, reporter: Reporter) -> RunDir:
    """Run a scenario against a target, and return the run directory, which holds everything except the verdict.

    1. prepare   reserve ports, start the stack, draw corpus and schedule, start the target, open the probes
    2. baseline  the load begins without faults: does the harness keep its schedule, does every link pass?
    3. shake     the injector plays the timeline
    4. heal      undo every fault, and read back that nothing is broken
    5. recover   the load goes on
    6. drain     wait until every acknowledged event is stored, and nothing has changed for a while
    7. observe   read the stored rows, past every link

    Each phase is on disk before it begins, the inputs before all of them, and the observations after them.

    Raises ScenarioError, NotPlayable, ManifestError, ToolchainMissing, TargetError or HarnessError. Whatever happens,
    nothing keeps running, and nothing stays broken.
    """
    scenario, clock = order.scenario, SystemClock()
    manifest = playable.fitted(scenario, manifests.load(order.target))
    if order.replay is None:  # a replay sends what was sent before
        scenario = playable.narrowed(scenario, manifest)
        order = dataclasses.replace(order, scenario=scenario)
    if order.port_base is not None:
        ports.check_base(order.port_base)
    headers.encoded(manifest.ingest.headers, os.environ)  # raises before anything is started
    faketime = _clock_library(order)
    folder = order.target.resolve().parent
    programs = environments.programs(manifest, folder, reporter.print)
    needs = services.needed(manifest, folder, programs)
    directory = rundir.create(order.runs, scenario.name, manifest.name)
    run_id, state = directory.path.name.split("-")[1], directory / "state"
    alive = Liveness()
    with (
        LogBound(directory.logs) as logs,
        EarlyEnd(alive, reporter) as early_end,
        PhaseJournal(directory, clock) as journal,
    ):
        scheduled = _save_inputs(order, manifest, programs, directory, journal, reporter)
        events = plural.counted(scheduled, "events")
        reporter.print(f"{scenario.name} on {manifest.name}: {events}, run {run_id}")
        with (
            closing(Supervisor(run_id)) as supervisor,
            ports.reserve(order.port_base) as block,
            Recorder(directory / rundir.FAULTS, "injector") as faults,
            Recorder(directory / rundir.PROBES, "probe") as probes,
            order.stack.open(
                run_id, block, supervisor, directory.logs, reporter.print, scenario.server_options, needs
            ) as stack,
            alive.watching(lambda: [supervisor.child, *stack.children]),
            clocks.opened(faketime, supervisor) as wall_clocks,
            _stopped(
                Target(
                    manifest,
                    folder,
                    stack,
                    supervisor,
                    run_id=run_id,
                    state=state,
                    logs=directory.logs,
                    settings=scenario.settings,
                    record=probes,
                    programs=programs,
                    clocks=wall_clocks,
                )
            ) as target,
            RunContext(stack, target, faults, partial(inputs.event_ids, directory)) as context,
            Injector(scenario.timeline, context, faults) as injector,
        ):
            manifest = target.located()
            # raises before the target is started if a fault is aimed at nothing, or two at one thing
            check_apart(scenario.timeline, [entry.fault.targets(context) for entry in scenario.timeline])
            check_sender(target, state)
            _save_target(directory, target, durability.read(stack))
            bring_up(target, stack, manifest)
            stack.settle()
            context.links.check()
            with (
                Backlog(stack, manifest) as backlog,
                Backlog(stack, manifest) as probed,
                Probe(target, probed, probes, cpu=_cpu(order, stack)) as probe,
                _stopped_load(load_process(directory, scenario, target, supervisor, _workers(order, block))) as load,
                early_end.recorded_in(journal),
            ):
                recorders = (journal, faults, probes)
                monitor = Monitor(
                    reporter, journal, logs, alive, recorders, target, injector, probe, load, scheduled, state, clock
                )
                load.start()
                began = load.wait_started(_await_workers(order, target, reporter))
                shake = began + int(scenario.load.baseline_s * SECOND)
                heal = shake + int(scenario.load.shake_s * SECOND)
                end = heal + int(scenario.load.recover_s * SECOND)
                journal.enter("baseline", at=began)
                monitor.until(shake, "baseline", end)
                load.check_sender(" before any fault")

                journal.enter("shake")
                injector.start(shake)
                monitor.until(heal, "shake", end)

                journal.enter("heal")
                injector.heal_all()
                context.links.check()
                healed_at = clock.now()

                journal.enter("recover")
                monitor.until(end, "recover", end)
                monitor.until_load_ends(end + int((scenario.resend_for_s + OVERTIME_S) * SECOND), backlog)
                load.stop()
                load.check_whole()
                load.check_sender()

                journal.enter("drain")
                stored = partial(observe.persisted_ids, stack, manifest)
                acknowledged = load.acknowledged() - inputs.malformed_ids(directory)
                patience = _patience(scenario, target, reporter)
                drained = Drain(backlog, stored, acknowledged, patience, clock, monitor.well).wait(
                    healed_at, lambda counts: monitor.look("drain", None, counts)
                )

                _enter_observe(journal, drained)
                if silent := stack.silent_services():
                    raise UnexpectedFailure(silent)
                observe.everything(directory, stack, manifest, backlog)
                if target.spans:
                    rundir.write_lines(directory / rundir.TRACES, target.spans.lines())
                collect(directory, state, breaker_log.collected(target, directory.logs))
                monitor.check_parts()
                if restarts := observe.restarts(directory, stack, scenario.server_options.disks):
                    raise UnexpectedFailure(restarts)
                journal.enter("end")
    return directory


def _cpu(order: Order, stack: Stack) -> CpuOfOthers | None:
    """The meter; None where not all servers are descendants of the harness, so that they would count as others."""
    given = [name for name in stack.services if stack.service(name) is not None and name not in stack.own]
    return CpuOfOthers() if order.stack.kind in ("local", "warm") and not given else None


def _workers(order: Order, block: Ports) -> Workers | None:
    """The load's workers, with a port for their master."""
    workers = order.workers
    return workers if workers is None or workers.port else dataclasses.replace(workers, port=block.take())


def _await_workers(order: Order, target: Target, reporter: Reporter) -> float:
    """Say what workers elsewhere need; returns the seconds until the load must have started."""
    if order.workers is None or not order.workers.elsewhere:
        return OPEN_S
    master, intake = f"{order.workers.host}:{order.workers.port}", target.intake.listen if target.intake else ""
    count = plural.counted(order.workers.elsewhere, "workers")
    reporter.print(f"waiting for {count} at {master}; they send to {intake}, as this machine does (docs/scaling.md)")
    return ELSEWHERE_S


def _clock_library(order: Order) -> Path | None:
    """The library that moves clocks, if a fault of the scenario does. Raises NotPlayable where that is impossible."""
    if not order.scenario.moves_clocks:
        return None
    if order.stack.kind == "compose":
        raise NotPlayable("faults of a clock need the target's processes on this machine: use --stack local")
    return library.library()


def _save_inputs(
    order: Order,
    manifest: Manifest,
    programs: Mapping[str, str],
    run: RunDir,
    journal: PhaseJournal,
    reporter: Reporter,
) -> int:
    """Write the scenario, the environment, the corpus and the schedule; returns how many events are scheduled."""
    told = order.scenario.to_json() | {"budgets": list(order.budgets)}
    rundir.write_json(run / rundir.SCENARIO, told)  # first: a run without it cannot be judged
    if order.asked:
        rundir.write_json(run / rundir.ASKED, order.asked)
    journal.enter("prepare")
    found = {**machine.read(), "stack": order.stack.kind, "target_packages": installed.packages(programs)}
    if ignored := not_taken(order.scenario.settings, manifest):
        found |= {"settings_not_taken": ignored}
        names = ", ".join(f"{name} = {value}" for name, value in ignored.items())
        reporter.print(f"settings that did not reach {manifest.name}, whose [settings] lacks them: {names}")
    rundir.write_json(run / rundir.ENVIRONMENT, found)
    if order.replay:
        return inputs.take_over(run, order.replay)
    own = OwnShapes(manifest.event, order.target.resolve().parent) if manifest.event else None
    numbers = manifest.capabilities.numbers is not None
    return inputs.draw(run, order.scenario, own, manifest.ingest.batch, manifest.ingest.max_bytes, numbers)


def _save_target(run: RunDir, target: Target, durable: Mapping[str, Mapping[str, str]]) -> None:
    manifest = target.manifest
    found: dict[str, Any] = msgspec.to_builtins(manifest)
    held = {"store": manifest.store, "queue_service": manifest.queue_service}
    timing = msgspec.to_builtins(target.timing)
    rundir.write_json(run / rundir.TARGET, {**found, **held, "timing": timing, "durability": durable})


def _patience(scenario: Scenario, target: Target, reporter: Reporter) -> Patience:
    """How long the drain may take; print a warning if work may come back later."""
    lease_s = target.timing.lease_s
    patience = Patience.of(scenario.drain_s, lease_s, faults=bool(scenario.timeline))
    if patience.too_short:
        reporter.print(f"the target's lease is {lease_s:g} s, longer than the drain: later duplicates stay unseen")
    if scenario.timeline and any(check.name == RecoversInTime.name for check in scenario.checks):
        return dataclasses.replace(patience, recovery_s=usual_s(target.timing))
    return patience


def _enter_observe(journal: PhaseJournal, drained: Drained) -> None:
    journal.enter("observe", missing=drained.missing, drained=drained.complete, quiet=drained.quiet)


@contextmanager
def _stopped(target: Target) -> Iterator[Target]:
    """The target; in the end all its processes are stopped."""
    try:
        yield target
    finally:
        target.close()


@contextmanager
def _stopped_load(load: LocustProcess) -> Iterator[LocustProcess]:
    """The load; in the end its process is stopped, if it was started."""
    try:
        yield load
    finally:
        load.stop()
