"""The load of a run: the manifest's intake, or its sender, as options of the Locust process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from shaketable.errors import NotPlayable
from shaketable.load import headers, sender
from shaketable.load.distributed.workers import Workers
from shaketable.load.locust_process import LocustProcess, users_for
from shaketable.rundir import RunDir
from shaketable.runner.scenario import Scenario
from shaketable.stack.process import Child, environment
from shaketable.stack.supervisor import Supervisor
from shaketable.target.target import Target


def check_sender(target: Target, home: Path) -> None:
    """Import the manifest's sender, if it names one. Raises ManifestError if it cannot be used."""
    if target.sender:
        sender.check(target.sender, environment(home, **target.sender_variables()), bool(target.manifest.ingest.batch))


def check_elsewhere(target: Target, workers: Workers | None) -> None:
    """Check that workers elsewhere can send what the manifest describes. Raises NotPlayable."""
    if workers is None or not workers.elsewhere:
        return
    for key, there in (("ingest.sender", target.sender), ("ingest.headers", target.manifest.ingest.headers)):
        if there:
            raise NotPlayable(f"{key} of the manifest stays on this machine: use --load-workers instead")


def load_process(
    run: RunDir, scenario: Scenario, target: Target, supervisor: Supervisor, workers: Workers | None
) -> LocustProcess:
    """The process that will send the load, or the master and its workers, in a folder of its own."""
    check_elsewhere(target, workers)
    ingest, home = target.manifest.ingest, run / "state" / "load"
    home.mkdir()
    own = headers.encoded(ingest.headers, os.environ) | target.sender_variables()

    def start(command: Sequence[str], log: Path) -> Child:
        return supervisor.spawn("load", command, env=environment(home, **own), cwd=home, log=log)

    return LocustProcess(
        run,
        f"http://{target.intake.listen}" if target.intake else "",
        env={},
        cwd=home,
        users=users_for(scenario.load.rate, workers=workers.count if workers else 1),
        method=ingest.method,
        path=ingest.path,
        accepted=ingest.accepted,
        resend_for_s=scenario.resend_for_s,
        definite_refusals=ingest.definite_refusals,
        batch=ingest.batch,
        traced=target.manifest.traces is not None,
        sender=target.sender,
        workers=workers,
        spawn=start,
        drained=home / "drained",
    )
