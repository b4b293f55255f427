"""Steps of the load generator alone: the same load against an intake that accepts everything.

The same events go by the same method, path and batch. The null intake answers 202, whatever the target answers.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from shaketable import rundir
from shaketable.capacity.step import Step
from shaketable.capacity.target_steps import TargetSteps
from shaketable.errors import HarnessError, LoadEnded
from shaketable.load import headers
from shaketable.load.locust_process import LocustProcess, users_for
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.op import Op
from shaketable.runner import inputs, playable
from shaketable.runner.scenario import Scenario
from shaketable.stack import ports
from shaketable.stack.process import Child, environment
from shaketable.stack.supervisor import Supervisor
from shaketable.target.ingest_table import Ingest
from shaketable.target.manifest import Manifest

#: Seconds that the intake may take to listen, and Locust to open its users and to end after its schedule.
START_S, OPEN_S, OVERTIME_S = 10.0, 60.0, 10.0


def play(steps: TargetSteps, manifest: Manifest, rate: float) -> Step:
    """One step against the null intake, for a target without a sender. Raises HarnessError when it does not start."""
    scenario, run_id = playable.narrowed(steps.scenario(rate), manifest), f"null{secrets.token_hex(3)}"
    run, ingest = rundir.create(steps.runs, scenario.name, "null"), manifest.ingest
    own = OwnShapes(manifest.event, steps.target.resolve().parent) if manifest.event else None
    numbers = manifest.capabilities.numbers is not None
    inputs.draw(run, scenario, own, ingest.batch, ingest.max_bytes, numbers)
    home = run.path / "state"
    home.mkdir()
    with closing(Supervisor(run_id)) as supervisor, ports.reserve() as block:
        port = block.take()
        command = [sys.executable, "-P", "-m", "shaketable.capacity.null_intake", str(port)]
        intake = supervisor.spawn("null", command, env=environment(home), cwd=home, log=run.logs / "null.log")
        try:
            _wait_listening(port, intake)
            return _sent(run, scenario, load_of(run, scenario, ingest, port, supervisor))
        finally:
            intake.kill()


def load_of(run: rundir.RunDir, scenario: Scenario, ingest: Ingest, port: int, supervisor: Supervisor) -> LocustProcess:
    """The load of a target, sent to the null intake."""
    home, own = run / "state", headers.encoded(ingest.headers, os.environ)

    def start(command: Sequence[str], log: Path) -> Child:
        return supervisor.spawn("load", command, env=environment(home, **own), cwd=home, log=log)

    return LocustProcess(
        run,
        f"http://127.0.0.1:{port}",
        {},
        home,
        users_for(scenario.load.rate),
        path=ingest.path,
        method=ingest.method,
        resend_for_s=0,
        batch=ingest.batch and msgspec.structs.replace(ingest.batch, answers=None, accepted=()),
        spawn=start,
    )


def _sent(run: rundir.RunDir, scenario: Scenario, load: LocustProcess) -> Step:
    rate, seconds = scenario.load.rate, scenario.load.seconds
    load.start()
    try:
        load.wait_started(OPEN_S)
        load.wait_done(seconds + OVERTIME_S)
        done = load.counts()
    except LoadEnded as e:
        return Step(rate, None, why=str(e), run=str(run.path))
    finally:
        load.stop()
    if done is None:
        return Step(rate, False, why=f"it was not done {OVERTIME_S:g} s after its schedule", run=str(run.path))
    return _judged(scenario, done, str(run.path))


def _judged(scenario: Scenario, done: Op, run: str) -> Step:
    """By the bounds of the scenario's load: how late, and how many unsent."""
    load, counts = scenario.load, done.detail
    late, unsent = float(counts["p99_ms"] or 0), int(counts["unsent"] or 0) / max(1, int(counts["scheduled"] or 0))
    why = []
    if late > load.lateness_bound_ms:
        why.append(f"p99 {late:.0f} ms late (bound {load.lateness_bound_ms:g} ms)")
    if unsent > load.unsent_bound:
        why.append(f"{unsent:.1%} never sent (bound {load.unsent_bound:.1%})")
    rate = int(counts["acknowledged"] or 0) / load.seconds
    return Step(load.rate, not why, round(rate, 1), lateness_p99_ms=round(late, 3), why="; ".join(why), run=run)


def _wait_listening(port: int, intake: Child) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as e:
            if intake.poll() is not None or time.monotonic() > deadline:
                raise HarnessError(f"the null intake does not listen: {e}") from e
            time.sleep(0.02)
