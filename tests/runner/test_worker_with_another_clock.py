"""A load worker in a network namespace of its own, whose clocks are two seconds ahead of the harness's."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from shaketable import rundir
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.clock import SECOND
from shaketable.op import Kind, Op
from shaketable.rundir import RunDir
from shaketable.stack import ports as free_ports
from shaketable.stack.wall_clock import library
from tests.cells.test_compare import started
from tests.locustfiles.conftest import ROOT
from tests.seeded_bugs import catalogue
from tests.support import forward
from tests.support.waits import await_that

AHEAD_S = 2
#: CLOCK_MONOTONIC is the time namespace's, waits on it too. libfaketime cannot move it: Python's waits would not end.
AWAY = [
    "unshare", "--net", "--mount", "--time", "--monotonic", str(AHEAD_S), "--boottime", str(AHEAD_S), "--fork",
    "--kill-child", "--pid", "--mount-proc",
]  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.nightly, pytest.mark.timeout(600)]


@pytest.fixture(autouse=True)
def namespaces() -> None:
    allowed = os.geteuid() == 0 and subprocess.run([*AWAY, "ip", "link"], capture_output=True, check=False)
    if not allowed or allowed.returncode:
        pytest.skip("only root makes network and time namespaces, where the kernel has them")


@contextmanager
def worker_away(folder: Path, ports: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    """A load worker that reaches these ports of the harness's loopback, and nothing else."""
    program, sockets = [sys.executable, forward.__file__], [str(folder / f"{port}.sock") for port in ports]
    lines = ["ip link set lo up", "mount -t tmpfs none /dev/shm"]  # libfaketime leaves files there
    lines += [
        shlex.join([*program, "listen", str(port), name]) + " &" for port, name in zip(ports, sockets, strict=True)
    ]
    locust = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfiles" / "ingest.py"), "--worker"]
    clock = {"LD_PRELOAD": str(library.library()), "FAKETIME": f"+{AHEAD_S}", **library.SETTINGS}
    here = ["--master-host", "127.0.0.1", "--master-port", str(ports[0])]
    lines.append(shlex.join(["env", *(f"{name}={value}" for name, value in clock.items()), *locust, *here]))
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    here_too = [[*program, "connect", str(port), name] for port, name in zip(ports, sockets, strict=True)]
    children = [subprocess.Popen(words) for words in here_too]
    try:
        await_that(lambda: all(map(os.path.exists, sockets)))
        with (folder / "worker.log").open("wb") as log:
            children.append(
                subprocess.Popen(
                    [*AWAY, "sh", "-c", "\n".join(lines)], stdout=log, stderr=log, cwd=folder, env=environment
                )
            )
        yield children[-1]
    finally:
        for child in children:
            child.kill()
            child.wait()


@pytest.mark.parametrize(("bug", "order"), [("", Verdict.PASSED), ("swaps_neighbours", Verdict.FAILED)])
def test_order_is_judged_right_or_unknown_by_a_worker_whose_clocks_are_ahead(
    bug: str, order: Verdict, tmp_path: Path
) -> None:
    target, said = catalogue.target(bug, tmp_path), tmp_path / "said"
    with free_ports.reserve() as block:  # the run takes ports of its own
        master = block.take()
        _judge_order(target, said, master, order, tmp_path)


def _judge_order(target: Path, said: Path, master: int, order: Verdict, tmp_path: Path) -> None:
    here = ["--load-master", f"127.0.0.1:{master}", "--expect-workers", "1"]
    words: list[str | Path] = ["run", "postgres_outage", "--target", target, "--runs", tmp_path / "runs"]
    with started("shaketable.cli", *words, *here, out=said) as run:
        ports = [master, intake(said, master)]
        (away := tmp_path / "away").mkdir()
        with worker_away(away, ports) as worker:
            code = run.wait(300)
            assert worker.wait(60) == 0, (away / "worker.log").read_text()
    done = RunDir((tmp_path / "runs" / rundir.LATEST).resolve())
    doc = msgspec.json.decode((done / rundir.VERDICT).read_bytes(), type=VerdictDoc)
    assert doc.checks["order_kept"].verdict in (order, Verdict.UNKNOWN), said.read_text()
    assert code == doc.verdict.exit_code
    ready = next(op for op in rundir.read_lines(done.journal("load-0"), Op) if op.kind is Kind.READY)
    offset, error = (int(ready.detail[name] or 0) for name in ("clock_offset", "clock_error"))
    assert abs(abs(offset) - AHEAD_S * SECOND) <= error


def intake(said: Path, master: int) -> int:
    """The port of the intake, once the run waits for its worker."""

    def named() -> list[str]:
        return re.findall(rf":{master}\b.*127\.0\.0\.1:(\d+)", said.read_text())

    await_that(lambda: bool(named()), 120)
    return int(named()[0])
