"""A child process of the harness: in its own session, with an allow-listed environment, ended with its descendants."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from shaketable.clock import SECOND, Clock
from shaketable.errors import HarnessError
from shaketable.files import foreign
from shaketable.stack import gate as gates
from shaketable.stack import mark as marks

#: Variables that a child may inherit. Others (PG*, LOCUST_*, *_PROXY…) have broken runs.
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")
#: Holds the run's id in every child's environment, so that a supervisor finds children missing from its journal.
RUN_VARIABLE = "SHAKETABLE_RUN"
#: Seconds that a killed process may take to exit.
GONE_S = 10.0
#: Seconds that a server's start may take; it takes 0.3 s.
START_S = 30.0


def environment(home: Path, /, **extra: str) -> dict[str, str]:
    """The environment of a child: inherited variables, a home without configuration files, and `extra`."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONUNBUFFERED": "1", **extra}


@dataclass(frozen=True)
class Identity:
    """A process's identity; its pid alone may be reused."""

    pid: int
    created: float  # creation time by the kernel, in seconds since the epoch

    @classmethod
    def of(cls, pid: int) -> Identity:
        return cls(pid, psutil.Process(pid).create_time())


class Running(Protocol):
    """One incarnation of a process of the target with its descendants, local or in a container."""

    @property
    def name(self) -> str: ...

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        ...

    def wait(self, seconds: float) -> int | None:
        """The exit code once it has ended, or None when it has not within `seconds`."""
        ...

    def tree(self) -> list[psutil.Process]:
        """Its processes as this machine's kernel reports them, the root first; [] if it runs on another machine."""
        ...

    def terminate(self, grace_s: float) -> int | None:
        """SIGTERM, and SIGKILL after the grace. Returns the exit code."""
        ...

    def kill(self) -> None:
        """SIGKILL all of it and wait until it is gone."""
        ...

    def pause(self) -> None:
        """Freeze all of it."""
        ...

    def resume(self) -> None:
        """Resume it; no effect unless it is frozen."""
        ...

    def is_frozen(self) -> bool:
        """Whether all its processes are stopped."""
        ...

    def tail(self, lines: int = 8) -> str:
        """The last lines of its log, for error messages."""
        ...


class Child:
    """A running command with its descendants."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path, mark: int = 0) -> None:
        self.name = name
        self.log = log
        self._popen, self.mark = popen, mark
        self.asked_to_end = self.asked_to_freeze = False  # by the harness, or by a fault
        self.identity = Identity.of(popen.pid)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def wait(self, seconds: float) -> int | None:
        """The exit code once it has ended, or None when it has not within `seconds`."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Send a signal to all processes of the tree that still exist."""
        self.asked_to_freeze = self.asked_to_freeze or number == signal.SIGSTOP
        for process in self.tree():
            _send(process, number)
        self.asked_to_freeze = self.asked_to_freeze and number != signal.SIGCONT

    def tree(self) -> list[psutil.Process]:
        """The process, its descendants, and daemonised descendants, which are found by their mark (`mark`)."""
        if self._popen.returncode is not None:  # reaped: its pid may be reused, but not its mark
            return processes(marks.carrying(self.mark)) if self.mark else []
        try:
            top = psutil.Process(self.pid)
            below = top.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        known = {self.pid, *(process.pid for process in below)}
        left = processes(pid for pid in marks.carrying(self.mark) if pid not in known) if self.mark else []
        return [top, *below, *left]

    def terminate(self, grace_s: float, number: int = signal.SIGTERM) -> int | None:
        """Signal the leader, which ends its own children, then kill the whole tree. Returns the exit code."""
        everything = self.tree()  # while the leader exists
        if self.poll() is None:
            self.asked_to_end = True
            self._popen.send_signal(number)
            self.send_signal(
                signal.SIGCONT
            )  # to the whole tree: frozen processes can neither end nor let their leader end
            self.wait(grace_s)
        kill_all(everything)
        self.kill()
        return self.poll()

    def kill(self) -> None:
        """SIGKILL the whole tree and wait until it has exited."""
        processes = self.tree()
        self.asked_to_end = self.asked_to_end or self.poll() is None
        kill_all(processes)
        if self.wait(GONE_S) is None:
            raise HarnessError(f"{self.name} (pid {self.pid}) does not end although killed: it hangs in the kernel")

    def close(self) -> None:
        """Kill it."""
        self.kill()

    def pause(self) -> None:
        """Send SIGSTOP to the whole tree."""
        self.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Send SIGCONT to the whole tree."""
        self.send_signal(signal.SIGCONT)

    def is_frozen(self) -> bool:
        """Whether the kernel reports every process of the tree as stopped."""
        states = [state for process in self.tree() if (state := _state(process)) != psutil.STATUS_ZOMBIE]
        return bool(states) and all(state == psutil.STATUS_STOPPED for state in states)

    def is_stopped(self) -> bool:
        """Whether the kernel reports its leader as stopped."""
        return self._popen.returncode is None and _state_of(self.pid) == psutil.STATUS_STOPPED

    def tail(self, lines: int = 8) -> str:
        """The last lines of its log, for error messages."""
        return "\n".join(foreign.tail(self.log, lines))


class Spawn(Protocol):
    """Starts a command that cannot outlive the harness; see `shaketable.stack.supervisor.Supervisor.spawn`."""

    def __call__(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path,
        user: str | None = None,
    ) -> Child: ...  # fmt: skip


def spawn(
    name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path,
    journal: Callable[[str, Identity], None], user: str | None = None, mark: int = 0,
) -> Child:  # fmt: skip
    """Start a command with its output in `log`; `journal` records it before it runs (`gate`). Raises HarnessError."""
    told, tell = os.pipe()
    try:
        with log.open("ab") as out:
            gate = [sys.executable, "-I", "-S", gates.__file__, *map(str, (tell, *_ids(user), mark))]
            popen = subprocess.Popen([*gate, *command], env=dict(env), cwd=cwd, stdin=subprocess.PIPE, stdout=out,
                                     stderr=subprocess.STDOUT, start_new_session=True, pass_fds=(tell,))  # fmt: skip
    except OSError as e:
        os.close(told)
        raise HarnessError(f"cannot start {name} ({command[0]}): {e.strerror or e}") from e
    finally:
        os.close(tell)
    try:
        with open(told, "rb") as why:
            child = Child(name, popen, log, mark)
            journal(name, child.identity)
            _open(popen)
            failed = why.read()
    except BaseException:
        popen.kill()
        popen.communicate()  # closes its input and waits
        raise
    if failed:
        popen.wait()
        raise HarnessError(f"cannot start {name} ({command[0]}): {os.strerror(int(failed))}")
    return child


def _open(gate: subprocess.Popen[bytes]) -> None:
    """Permit the gate to execute its command; the exit code shows if it has exited already."""
    assert gate.stdin is not None
    with suppress(BrokenPipeError), gate.stdin as word:
        word.write(b"\n")


def await_answer(child: Child, answers: Callable[[], bool], clock: Clock, within_s: float = START_S) -> None:
    """Wait until a server answers. Raises HarnessError with its last log lines when it exits or does not answer."""
    deadline = clock.now() + int(within_s * SECOND)
    while not answers():
        if (code := child.poll()) is not None:
            raise HarnessError(f"{child.name} died at start with exit code {code}: {child.tail(3) or 'no output'}")
        if clock.now() > deadline:
            raise HarnessError(f"{child.name} does not answer after {within_s:g} s: {child.tail(3) or 'no output'}")
        clock.sleep(0.03)


def kill_all(processes: Sequence[psutil.Process]) -> None:
    """SIGKILL each process, and wait until all have exited; zombies are left for their parents to reap."""
    for process in processes:
        _send(process, signal.SIGKILL)
    deadline = time.monotonic() + GONE_S
    while any(_is_alive(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.01)


def processes(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes with these pids that are alive (also frozen ones)."""
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return [process for process in found if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _state_of(pid: int) -> str:
    try:
        return _state(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def _state(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return psutil.STATUS_ZOMBIE


def _send(process: psutil.Process, number: int) -> None:
    with suppress(psutil.NoSuchProcess):  # it has ended before the signal, as intended
        process.send_signal(number)


def _ids(user: str | None) -> tuple[int, int]:
    """The ids of a user and its group; -1 without a user."""
    if user is None:
        return -1, -1
    import pwd

    found = pwd.getpwnam(user)
    return found.pw_uid, found.pw_gid
