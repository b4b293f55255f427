"""What daemonises with an empty environment ends with the run, and is killed and frozen with what it left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from shaketable.stack import mark, process, supervisor
from tests.stack.test_supervisor import all_gone, is_alive

#: Forks twice, into a session of its own, with an empty environment; writes the daemon's number to a file, and stays.
DAEMONISES = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        with open(sys.argv[1], "w") as file:
            print(os.getpid(), file=file)
        os.closerange(0, 1000)
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)
os.wait()
time.sleep(600)
"""
#: A harness whose target daemonises.
LEFT = f"""
import os, sys, time
from pathlib import Path
from shaketable.stack.supervisor import Supervisor

run_id, folder, end = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
mine = Supervisor(run_id)
command = [sys.executable, "-c", {DAEMONISES!r}, str(folder / "pid")]
mine.spawn("worker-1", command, env={{}}, cwd=folder, log=folder / "log")
while not (folder / "pid").exists() or not (folder / "pid").read_text().endswith("\\n"):
    time.sleep(0.01)
mine.close() if end == "close" else os.kill(os.getpid(), 9)
"""


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def _own_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize("how", ["close", "kill -9"])
def test_daemon_with_an_empty_environment_ends_with_the_run(how: str, tmp_path: Path) -> None:
    arguments = (f"test-daemon-{os.getpid()}", str(tmp_path), how)
    subprocess.run([sys.executable, "-c", LEFT, *arguments], check=how == "close", timeout=30)
    daemon = int((tmp_path / "pid").read_text())
    try:
        assert all_gone([daemon], 0.5 if how == "close" else supervisor.BOUND_S)
    finally:
        if is_alive(daemon):
            os.kill(daemon, signal.SIGKILL)


def test_daemon_is_killed_and_frozen_with_the_process_that_left_it(tmp_path: Path) -> None:
    with closing(supervisor.Supervisor(f"test-tree-{os.getpid()}")) as mine:
        child = mine.spawn(
            "worker-1",
            [sys.executable, "-c", DAEMONISES, str(tmp_path / "pid")],
            env={},
            cwd=tmp_path,
            log=tmp_path / "log",
        )
        other = mine.spawn("worker-2", ["/bin/sleep", "600"], env={}, cwd=tmp_path, log=tmp_path / "log")
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().endswith("\n"))
        daemon = psutil.Process(int((tmp_path / "pid").read_text()))
        child.pause()
        until(lambda: daemon.status() == psutil.STATUS_STOPPED and child.is_frozen())
        child.kill()
        assert all_gone([daemon.pid], 0.5)
        assert is_alive(other.pid)
        other.kill()


#: On SIGTERM the leader starts a helper in a session of its own, and ends.
HANDS_OVER = "trap 'setsid sleep 600 & exit 0' TERM; echo > ready; while :; do sleep 0.05; done"
#: The leader starts a helper and ends by itself.
LEAVES = "echo > ready; setsid sleep 600 & exit 1"


@pytest.mark.parametrize(("script", "how"), [(HANDS_OVER, "terminate"), (LEAVES, "terminate"), (LEAVES, "kill")])
def test_helper_of_a_leader_that_has_ended_ends_with_it(script: str, how: str, tmp_path: Path) -> None:
    with closing(supervisor.Supervisor(f"test-helper-{os.getpid()}")) as mine:
        path = {"PATH": os.environ["PATH"]}
        child = mine.spawn("worker-1", ["/bin/sh", "-c", script], env=path, cwd=tmp_path, log=tmp_path / "log")
        until((tmp_path / "ready").exists)
        if script == LEAVES:
            child.wait(30)
            until(lambda: [each.name() for each in child.tree()] == ["sleep"])
        child.terminate(30) if how == "terminate" else child.kill()
        assert child.poll() is not None
        assert process.processes(mark.carrying(child.mark)) == child.tree() == []
