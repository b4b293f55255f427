"""`python -m bench.lateness`: how late one process and several workers send the same schedule to a null server.

An event is late by the time from its intended time to its send. Of several workers the worst p99 counts. The sides
take turns, so that a busy machine disturbs both. The null server is nginx if that is installed, which leaves most of
the CPUs to the load, and else one in Python.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench.stage import ROOT, say, until
from shaketable import rundir
from shaketable.load.distributed.workers import Workers
from shaketable.load.locust_process import LocustProcess, ProcessHandle, users_for
from shaketable.load.mix import Mix
from shaketable.load.mix.corpus import corpus
from shaketable.load.schedule import Load, schedule
from shaketable.op import Op
from shaketable.rundir import RunDir
from shaketable.stack import ports
from shaketable.stack.process import Spawn, environment
from shaketable.stack.supervisor import Supervisor

#: Events a second, seconds, and the bound of the p99 in ms that two workers are to keep.
RATE, SECONDS, BOUND_MS = 8000.0, 10.0, 50.0
#: Seconds to open the users, and to end after the schedule.
OPEN_S, OVERTIME_S = 120.0, 30.0
#: Events of the everyday kinds only.
MIX = Mix(malformed=0, resent=0, changed=0, twins=0, ordered=0, sized=0, numeric=0, everyday=1)
#: One process that answers at once, on loopback; all that it writes is in its own folder.
NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}/bodies;
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 100000000;
        location / {{ return 202; }}
    }}
}}
"""


class SentLoad(msgspec.Struct, frozen=True):
    """What one side sent of its schedule, and how late."""

    workers: int
    scheduled: int
    unsent: int
    acknowledged: int
    p99_ms: float | None
    done: bool  # in time


def measure(rate: float, seconds: float, workers: int, rounds: int) -> list[SentLoad]:
    """One process, then the workers, in each round."""
    return [_side(rate, seconds, count) for _ in range(rounds) for count in (1, workers)]


def _side(rate: float, seconds: float, workers: int) -> SentLoad:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        closing(Supervisor(f"late{secrets.token_hex(3)}")) as on,
    ):
        place = Path(folder)
        with _null_server(place, on.spawn) as url, ports.reserve() as block:
            several = Workers(workers, block.take()) if workers > 1 else None
            load = Load(rate, 0, seconds, 0)
            found = _sent(_run(place, load), url, load, several, on.spawn)
    say(f"{_named(found)}: p99 {found.p99_ms} ms, {found.unsent} of {found.scheduled} unsent")
    return found


@contextmanager
def _null_server(folder: Path, spawn: Spawn) -> Iterator[str]:
    with ports.reserve() as block:
        port, log = block.take(), folder / "null.log"
        command = _server(folder, port)
        server = spawn("null", command, env=environment(folder), cwd=folder, log=log)
        try:
            until(lambda: _listens(port), 20, "the null server")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def _server(folder: Path, port: int) -> list[str]:
    """The command that answers 202 to every request."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        return [sys.executable, "-P", "-m", "shaketable.capacity.null_intake", str(port)]
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    return [nginx, "-p", str(folder), "-e", "stderr", "-c", str(config)]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _run(folder: Path, load: Load) -> RunDir:
    run = RunDir(folder / "run")
    run.logs.mkdir(parents=True)
    shapes = corpus(MIX, 1)
    rundir.write_lines(run / rundir.CORPUS, shapes)
    rundir.write_lines(run / rundir.SCHEDULE, schedule(load, MIX, shapes, 1))
    return run


def _sent(run: RunDir, url: str, load: Load, workers: Workers | None, spawn: Spawn) -> SentLoad:
    home = run.path
    count = workers.count if workers else 1

    def start(command: Sequence[str], log: Path) -> ProcessHandle:
        return spawn("load", command, env=environment(home, PYTHONPATH=str(ROOT)), cwd=home, log=log)

    locust = LocustProcess(
        run, url, {}, home, users_for(load.rate, workers=count), resend_for_s=0, workers=workers, spawn=start
    )
    locust.start()
    try:
        locust.wait_started(OPEN_S)
        done = locust.wait_done(load.seconds + OVERTIME_S)
        counts = locust.counts()
    finally:
        locust.stop()
    return _counted(count, counts, done)


def _counted(workers: int, counts: Op | None, done: bool) -> SentLoad:
    if counts is None:
        return SentLoad(workers, 0, 0, 0, None, False)
    told = counts.detail
    scheduled, unsent, acknowledged = (int(told[name] or 0) for name in ("scheduled", "unsent", "acknowledged"))
    return SentLoad(workers, scheduled, unsent, acknowledged, float(told["p99_ms"] or 0), done)


def _named(one: SentLoad) -> str:
    return "1 process" if one.workers == 1 else f"{one.workers} workers"


def show(found: Sequence[SentLoad]) -> None:
    """A line for each side of each round."""
    table = Table("load", "scheduled", "unsent", "acknowledged", "p99 late, ms", "done in time")
    for one in found:
        figures = (one.scheduled, one.unsent, one.acknowledged, one.p99_ms, one.done)
        table.add_row(_named(one), *map(str, figures))
    Console(width=100).print(table)


def held(found: Sequence[SentLoad]) -> bool:
    """Whether the workers sent all in time, in every round."""
    several = [one for one in found if one.workers > 1]
    return all(one.done and not one.unsent and (one.p99_ms or 0) < BOUND_MS for one in several)


def main() -> None:
    """Measure, print a table, write the figures as JSON, and exit 1 if the workers were late."""
    parser = argparse.ArgumentParser("python -m bench.lateness", description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE, help="events a second (8000)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each load (10)")
    parser.add_argument("--workers", type=int, default=2, help="beside one process (2)")
    parser.add_argument("--rounds", type=int, default=3, help="each has both sides (3)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    say(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} before")
    found = measure(given.rate, given.seconds, given.workers, given.rounds)
    show(found)
    if given.json:
        rundir.write_json(given.json, found)
    sys.exit(not held(found))


if __name__ == "__main__":
    main()
