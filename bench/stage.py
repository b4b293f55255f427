"""The stage: a local stack, the reference's processes on direct addresses, and what they cost."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from reference_impl.queue import streams
from shaketable.stack import ports
from shaketable.stack.local import LocalStack
from shaketable.stack.process import Child, Spawn, environment
from shaketable.stack.supervisor import Supervisor

ROOT = Path(__file__).parents[1]
#: Lanes at work: the default.
LANES = 5
#: Seconds that a backlog may take.
BOUND_S = 120.0


def say(text: str) -> None:
    """Progress: on stderr, so that stdout is the result alone."""
    print(text, file=sys.stderr, flush=True)


def until(holds: Callable[[], Any], within_s: float, what: str) -> Any:
    """Wait for a condition; its value. Exits with what did not come."""
    deadline = time.monotonic() + within_s
    while not (value := holds()):
        if time.monotonic() > deadline:
            sys.exit(f"bench: {what} did not come within {within_s:.0f} s")
        time.sleep(0.02)
    return value


class Stage:
    """Servers and processes of one bench."""

    def __init__(self, stack: LocalStack, run_id: str, folder: Path, spawn: Spawn) -> None:
        self._stack, self._run_id, self._folder, self._spawn = stack, run_id, folder, spawn
        self.processes: dict[str, tuple[Child, int]] = {}
        self.database = psycopg.connect(stack.owner_url(), autocommit=True)
        self.redis = redis.Redis.from_url(stack.redis_url())
        self.run("migrate")

    def _environment(self, **given: str) -> dict[str, str]:
        urls = {"DATABASE_URL": self._stack.owner_url(), "REDIS_URL": self._stack.redis_url()}
        return environment(self._folder, SHAKETABLE_RUN=self._run_id, PYTHONPATH=str(ROOT), **urls, **given)

    def run(self, command: str) -> None:
        """A command of the reference that ends by itself."""
        subprocess.run(
            [sys.executable, "-m", "reference_impl", command], env=self._environment(), check=True, capture_output=True
        )

    def start(self, command: str, name: str, module: str = "reference_impl", **settings: str) -> int:
        """A process of the reference, or of another module, once it answers; the port it answers at."""
        port = self._stack.take_port()
        env = self._environment(HTTP_PORT=str(port), PROCESS=name, STATE_DIR=str(self._folder / name), **settings)
        child = self._spawn(
            name,
            [sys.executable, "-m", module, *command.split()],
            env=env,
            cwd=self._folder,
            log=self._folder / f"{name}.log",
        )
        self.processes[name] = (child, port)
        until(lambda: self.health(name), 20, f"an answer of {name}")
        return port

    def stop(self, *names: str) -> None:
        """SIGTERM, and wait."""
        for name in names:
            self.processes.pop(name)[0].terminate(10)

    def health(self, name: str) -> dict[str, Any] | None:
        """What that process says of all of them."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.processes[name][1]}/health") as answer:
            told: dict[str, Any] = json.load(answer)
            return told
        return None

    def await_lanes(self, name: str) -> None:
        """Until workers hold all lanes."""
        until(lambda: _held(self.health(name)) == LANES, 60, "lanes")

    def load(self, port: int, events: int, **options: int) -> dict[str, Any]:
        """Send events from a process of its own; what it says of them."""
        return send(port, events, **options)

    def queued(self) -> int:
        """How many events are accepted and not yet committed and deleted."""
        with self.redis.pipeline(transaction=False) as pipe:
            for lane in range(LANES):
                pipe.xlen(streams.key(lane))
            return sum(pipe.execute())

    def stored(self) -> int:
        """How many events are stored; exits when an id is there twice."""
        row = self.database.execute("select count(*), count(distinct event_id) from audit_log").fetchone()
        rows, ids = row or (0, 0)
        if rows != ids:
            sys.exit(f"bench: {rows} rows of {ids} events: some are stored twice")
        return int(rows)

    def newest(self) -> int:
        """The position of the newest stored event; 0: none."""
        row = self.database.execute("select coalesce(max(position), 0) from audit_log").fetchone()
        return int((row or (0,))[0])

    def commits(self, after: int) -> list[tuple[float, int]]:
        """When each transaction committed that stored events after this position, in UTC seconds, and how many."""
        found = self.database.execute(
            "select extract(epoch from pg_xact_commit_timestamp(xmin))::double precision, count(*) from audit_log"
            " where position > %s group by 1 order by 1",
            [after],
        )
        return [(float(at), int(rows)) for at, rows in found]

    def await_empty(self) -> None:
        """Until the queue is."""
        until(lambda: self.queued() == 0, BOUND_S, "an empty queue")

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds of each process so far, and of the servers with all their children."""
        told = {name: child.tree() for name, (child, _) in self.processes.items()}
        told |= {"postgres": self._stack.postgres.child.tree(), "valkey": self._stack.valkey.child.tree()}  # type: ignore[union-attr]
        return {name: sum(map(cpu_s, tree)) for name, tree in told.items()}

    def rss_mb(self) -> dict[str, float]:
        """Resident memory of the reference's processes and of Valkey."""
        told = {name: child for name, (child, _) in self.processes.items()} | {"valkey": self._stack.valkey.child}
        return {name: _rss_mb(child) for name, child in told.items() if child}


def send(port: int, events: int, **options: int) -> dict[str, Any]:
    """Run `bench.load`, and return its counts and times."""
    command = [sys.executable, "-m", "bench.load", str(port), str(events)]
    command += [f"--{name}={value}" for name, value in options.items()]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _held(health: dict[str, Any] | None) -> int:
    return sum(len(worker["lanes"]) for worker in health["workers"]) if health else 0


def _rss_mb(child: Child) -> float:
    return round(float(psutil.Process(child.pid).memory_info().rss) / 2**20, 1)


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and of its children that have ended; 0 when it has ended itself."""
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


@contextmanager
def stage() -> Iterator[Stage]:
    """Start everything, and end everything."""
    run_id = f"bench-{secrets.token_hex(4)}"
    supervisor = Supervisor(run_id)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="shaketable-bench-") as folder,
            ports.reserve() as block,
            LocalStack(run_id, block, supervisor, Path(folder), say) as stack,
        ):
            one = Stage(stack, run_id, Path(folder), supervisor.spawn)
            yield one
            one.database.close()
            for child, _ in one.processes.values():
                child.kill()
    finally:
        supervisor.close()
