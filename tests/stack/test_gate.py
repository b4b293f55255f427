"""A command of the run starts only once it is in the undo journal, and is then as if it had been started outright."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from shaketable.errors import HarnessError
from shaketable.stack.process import Child, Identity, spawn

#: A harness that is killed in the instant in which it would write down what it starts.
KILLED = """
import os, sys
from pathlib import Path
from shaketable.stack.process import spawn

def journal(name, identity):
    print(identity.pid, flush=True)
    os.kill(os.getpid(), 9)

folder = Path(sys.argv[1])
spawn("touch", ["touch", "started"], env={"PATH": os.environ["PATH"]}, cwd=folder, log=folder / "log", journal=journal)
"""


def started(folder: Path, *command: str, env: dict[str, str] | None = None) -> tuple[Child, list[Identity]]:
    noted: list[Identity] = []
    child = spawn(
        command[0],
        command,
        env=env if env is not None else {"PATH": os.environ["PATH"]},
        cwd=folder,
        log=folder / "log",
        journal=lambda _, identity: noted.append(identity),
    )
    return child, noted


@pytest.mark.parametrize("env", [{}, {"PATH": "/bin:/usr/bin", "LANG": "C", "a.b-c": "dotted", "EMPTY": ""}])
def test_command_is_as_if_it_had_been_started_outright(env: dict[str, str], tmp_path: Path) -> None:
    signals = "while read -r name set; do case $name in Sig[BIC]*) echo $name $set;; esac; done < /proc/$$/status"
    look = f"{signals}; tr '\\0' '\\n' < /proc/$$/environ; readlink /proc/$$/fd/*; pwd"
    child, noted = started(tmp_path, "/bin/sh", "-c", look, env=env)
    assert child.wait(30) == 0
    assert [identity.pid for identity in noted] == [child.pid]
    with (tmp_path / "outright").open("wb") as out:
        subprocess.run(
            ["/bin/sh", "-c", look],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=True,
            start_new_session=True,
        )
    outright = (tmp_path / "outright").read_text().replace(str(tmp_path / "outright"), str(tmp_path / "log"))
    assert (tmp_path / "log").read_text() == outright


def test_harness_that_is_killed_before_it_noted_a_process_leaves_none(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    deadline = time.monotonic() + 30
    while psutil.pid_exists(int(done.stdout)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not psutil.pid_exists(int(done.stdout))
    assert not (tmp_path / "started").exists()


def test_interrupt_while_a_process_is_noted_leaves_none(tmp_path: Path) -> None:
    pids: list[int] = []

    def journal(_: str, identity: Identity) -> None:
        pids.append(identity.pid)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spawn("touch", ["touch", "started"], env={}, cwd=tmp_path, log=tmp_path / "log", journal=journal)
    assert not psutil.pid_exists(pids[0])
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(("command", "why"), [("no-such-program", "No such file"), ("/etc/passwd", "Permission")])
def test_command_that_cannot_be_run_is_one_sentence(
    command: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)  # with a folder that this user may not search, any program is "denied"
    with pytest.raises(HarnessError, match=f"cannot start .*{why}"):
        started(tmp_path, command)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_starts_a_command_as_another_user_and_of_no_other_group(tmp_path: Path) -> None:
    child = spawn(
        "id",
        ["id"],
        env={"PATH": os.environ["PATH"]},
        cwd=Path("/"),
        log=tmp_path / "log",
        journal=lambda *_: None,
        user="nobody",
    )
    assert child.wait(30) == 0
    assert (tmp_path / "log").read_text().count("65534") == 3  # user, group, groups
