"""The supervisor outlives the harness and cleans up after it: servers, target, proxies and folders.

It also performs the undo actions (`undo`) in servers that the harness did not start; actions that fail stay in the
journal. It waits on a pipe that only the harness holds. When the pipe closes (a normal end, a crash, `kill -9`), it
reads the undo journal and ends all remaining processes. If the supervisor is killed too, run `shaketable heal`.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil

from shaketable.errors import HarnessError
from shaketable.files import folders
from shaketable.stack import mark, segments
from shaketable.stack.process import RUN_VARIABLE, Child, Identity, kill_all, processes, spawn
from shaketable.stack.undo import ACTION_S, Action

#: Seconds between the end of a harness and that of all it started.
BOUND_S = 5.0
#: Seconds that a supervisor may take to end what is left, before the harness does so itself.
END_S = 60.0
#: Looks for processes of a run: while some are ended, others may start more.
LOOKS = 10
#: Seconds between two tries of an action.
AGAIN_S = 0.25
#: What the supervisor says once no signal of a terminal can end it.
READY = b"ready\n"


class Undo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the undo journal: a process to end, a folder to remove, or an action to perform."""

    boot: str
    pid: int = 0
    created: float = 0.0
    name: str = ""
    folder: str = ""
    action: Action | None = None


class Supervisor:
    """The harness's end of it: says what must be undone, and lets go at the end."""

    def __init__(self, run_id: str) -> None:
        self._run_id, self._journal = run_id, journals() / f"{run_id}.jsonl"
        self._numbers = itertools.count(1)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "shaketable.stack.supervisor", str(self._journal)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": os.environ.get("PATH", "")},
        )  # fmt: skip
        assert self._process.stdout is not None
        with self._process.stdout as said:
            if said.readline() != READY:
                self._process.communicate()
                raise HarnessError("the supervisor did not start, so nothing would clean up after a kill: not running")
        self._fd = os.open(self._journal, os.O_WRONLY | os.O_APPEND)
        self.child = Child("supervisor", self._process, Path(os.devnull))

    def spawn(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path,
        user: str | None = None,
    ) -> Child:  # fmt: skip
        """Start a process that must not outlive the harness. Raises HarnessError when it cannot be started at all."""
        own = {**env, RUN_VARIABLE: self._run_id}
        mark_ = mark.of(self._run_id, next(self._numbers))
        return spawn(name, command, env=own, cwd=cwd, log=log, journal=self.process, user=user, mark=mark_)

    def scratch(self, within: Path | None = None) -> Path:
        """Make a temporary folder that must not outlive the harness, with a name that nobody else can foresee."""
        folder = (within or Path(tempfile.gettempdir())) / f"shaketable-stack-{self._run_id}-{secrets.token_hex(8)}"
        self.folder(folder)
        folder.mkdir(mode=0o700)
        return folder

    def process(self, name: str, identity: Identity) -> None:
        """This process must not outlive the harness."""
        self._write(Undo(boot_id(), identity.pid, identity.created, name))

    def folder(self, path: Path) -> None:
        """This folder must not outlive the harness."""
        self._write(Undo(boot_id(), folder=str(path)))

    def action(self, action: Action) -> None:
        """This is to be performed when the harness has ended, however it did. Say so *before* breaking anything."""
        self._write(Undo(boot_id(), action=action))

    def close(self) -> None:
        """Let the supervisor end what is left, and wait for it; if it was killed or hangs, do so in its place."""
        os.close(self._fd)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.child.resume()  # somebody may have frozen it
        if self.child.wait(END_S) != 0:
            self.child.kill()
            end(self._journal)

    def _write(self, undo: Undo) -> None:
        os.write(self._fd, msgspec.json.encode(undo) + b"\n")


def journals() -> Path:
    """The folder of undo journals, one a run: this user's on this machine, whose processes they name.

    Raises HarnessError unless it is the user's own.
    """
    folder = folders.state() / "undo" / (os.uname().nodename or "localhost")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def held(journal: Path) -> Iterator[bool]:
    """Hold a journal, so that nobody else ends what it names; yields whether that was possible.

    Its supervisor holds it for as long as it lives, and the kernel lets go of it then.
    """
    fd = os.open(journal, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


def boot_id() -> str:
    """Which boot of the machine this is: after another one no process of the journal can be alive."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return str(psutil.boot_time())


def end(journal: Path) -> list[str]:
    """End all that a journal names and its run started, then perform its actions; returns what there was to do.

    The journal is gone then, but for the actions that failed: whoever calls this again tries those again.
    """
    undos = list(_read(journal))
    names, everything = _frozen(undos, journal.stem)
    creators = {undo.pid: undo.created for undo in undos if undo.pid and undo.boot == boot_id()}
    creators |= {pid: born for pid, q in everything.items() if (born := _born(q))}
    kill_all(list(everything.values()))
    segments.remove(creators)
    for undo in undos:
        if undo.folder:
            shutil.rmtree(undo.folder, ignore_errors=True)
    actions = [undo for undo in undos if undo.action is not None]
    failures = _perform([undo.action for undo in actions if undo.action is not None])
    _keep(journal, [undo for undo, why in zip(actions, failures, strict=True) if why])
    return names + [
        f"{type(undo.action).__name__.lower()} {f'NOT undone ({why})' if why else 'undone'}"
        for undo, why in zip(actions, failures, strict=True)
    ]


def _frozen(undos: list[Undo], run_id: str) -> tuple[list[str], dict[int, psutil.Process]]:
    """The run's processes by name, and all of them stopped: one that has a signal to come can start no other."""
    names: list[str] = []
    everything: dict[int, psutil.Process] = {}
    for _ in range(LOOKS):
        alive = {p.pid: p for undo in undos if (p := _alive(undo))} | {p.pid: p for p in _carrying(run_id)}
        fresh = {q.pid: q for p in alive.values() for q in _tree(p) if q.pid not in everything}
        if not fresh:
            break
        names += [f"ended {_name(p)} (pid {p.pid})" for p in alive.values() if p.pid in fresh]
        for process in fresh.values():
            with suppress(psutil.Error):
                process.suspend()
        everything |= fresh
    return names, everything


def _perform(actions: list[Action]) -> list[str]:
    """All at once, for a server that does not answer must not keep the others waiting; returns why each failed.

    One that fails is tried again while there is time: its server may be one that another action just thaws.
    """
    deadline = time.monotonic() + 2 * ACTION_S
    failures = [f"not within {2 * ACTION_S} s"] * len(actions)

    def perform(number: int) -> None:
        while failures[number]:
            try:
                actions[number].perform()
                failures[number] = ""
            except Exception as e:  # whatever one server does, the others must be healed
                failures[number] = f"{type(e).__name__}: {e}"
                if time.monotonic() + AGAIN_S > deadline:
                    return
                time.sleep(AGAIN_S)

    threads = [threading.Thread(target=perform, args=(number,), daemon=True) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return failures.copy()  # what a late thread does is not told, and done again


def _keep(journal: Path, undos: list[Undo]) -> None:
    """Leave these lines in the journal, at once; without any it is gone."""
    if not undos:
        journal.unlink(missing_ok=True)
        return
    part = journal.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(b"".join(msgspec.json.encode(undo) + b"\n" for undo in undos))
    part.replace(journal)


def _read(journal: Path) -> Iterator[Undo]:
    for line in journal.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield msgspec.json.decode(line, type=Undo)


def _alive(undo: Undo) -> psutil.Process | None:
    """The process of a line, if it is still that one: same boot, same number, same time of birth."""
    if not undo.pid or undo.boot != boot_id():
        return None
    try:
        process = psutil.Process(undo.pid)
        same = abs(process.create_time() - undo.created) < 0.02
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _carrying(run_id: str) -> Iterator[psutil.Process]:
    """Processes that carry the run's mark, or its id in their environment where there are no marks."""
    yield from processes(mark.of_run(run_id))
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_VARIABLE) == run_id:
                yield process
        except (psutil.Error, OSError):
            continue  # another user's, or gone


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return "a process"


def _tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _born(process: psutil.Process) -> float | None:
    try:
        return process.create_time()
    except psutil.NoSuchProcess:
        return None


def main() -> None:
    """Wait for the harness to let go of the pipe, then end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    journal = Path(sys.argv[1])
    with held(journal) as ours:  # the process that makes the journal also removes it
        if not ours:
            sys.exit(f"another run has the journal {journal}")
        with suppress(BrokenPipeError):  # the harness is dead already, which ends the wait below
            os.write(sys.stdout.fileno(), READY)
        os.close(sys.stdout.fileno())
        sys.stdin.buffer.read()
        end(journal)


if __name__ == "__main__":
    main()
