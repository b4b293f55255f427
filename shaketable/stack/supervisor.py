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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import psutil

from shaketable.errors import HarnessError
from shaketable.files import folders
from shaketable.stack import mark, segments
from shaketable.stack.process import RUN_VARIABLE, Child, Identity, kill_all, processes, spawn
from shaketable.stack.undo import Action, perform

#: Seconds within which all processes of a dead harness end; its containers have `undo.ENGINE_S` more.
BOUND_S = 5.0
#: Seconds that a supervisor may take to clean up before the harness does so itself.
END_S = 60.0
#: Searches for a run's processes, which may start others meanwhile.
LOOKS = 10
#: The supervisor's message once it ignores a terminal's signals.
READY = b"ready\n"
#: The beginning of each entry of a journal, which cannot occur within one: a quote in a string has a backslash.
_BEGINS = b'{"boot":'


class Undo(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the undo journal: a process to end, a folder or a file to remove, or an action to perform."""

    boot: str
    pid: int = 0
    created: float = 0.0
    name: str = ""
    folder: str = ""
    action: Action | None = None


class Supervisor:
    """The harness's side: records undo entries, and releases the supervisor at the end."""

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
        self._fd, self._writing = os.open(self._journal, os.O_WRONLY | os.O_APPEND), threading.Lock()
        self.child = Child("supervisor", self._process, Path(os.devnull))

    def spawn(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path,
        user: str | None = None,
    ) -> Child:  # fmt: skip
        """Start a process that must not outlive the harness. Raises HarnessError when it cannot be started."""
        own = {**env, RUN_VARIABLE: self._run_id}
        mark_ = mark.of(self._run_id, next(self._numbers))
        return spawn(name, command, env=own, cwd=cwd, log=log, journal=self.process, user=user, mark=mark_)

    def scratch(self, within: Path | None = None) -> Path:
        """Create a temporary folder with an unpredictable name, which must not outlive the harness."""
        folder = (within or Path(tempfile.gettempdir())) / f"shaketable-stack-{self._run_id}-{secrets.token_hex(8)}"
        self.folder(folder)
        folder.mkdir(mode=0o700)
        return folder

    def process(self, name: str, identity: Identity) -> None:
        """Record a process that must not outlive the harness."""
        self._write(Undo(boot_id(), identity.pid, identity.created, name))

    def folder(self, path: Path) -> None:
        """Record a folder, or a file, that must not outlive the harness."""
        self._write(Undo(boot_id(), folder=str(path)))

    def action(self, action: Action) -> None:
        """Record an action to perform after the end of the harness. Record it *before* injecting a fault."""
        self._write(Undo(boot_id(), action=action))

    def close(self) -> None:
        """Let the supervisor clean up, and wait for it; if it was killed or hangs, clean up in its place."""
        os.close(self._fd)
        assert self._process.stdin is not None
        self._process.stdin.close()
        self.child.resume()  # it may have been frozen
        if self.child.wait(END_S) != 0:
            self.child.kill()
            end(self._journal)

    def _write(self, undo: Undo) -> None:
        """Append the whole line or none of it. Raises HarnessError, since nothing would undo it then."""
        line = msgspec.json.encode(undo) + b"\n"
        with self._writing:
            before = os.fstat(self._fd).st_size
            try:
                while line:
                    line = line[os.write(self._fd, line) :]  # a nearly full disk takes a part
            except OSError as e:
                os.ftruncate(self._fd, before)  # the next line must not continue a part of this one
                raise HarnessError(f"the undo journal {self._journal} cannot be written: {e.strerror}") from e


def journals() -> Path:
    """The folder of this user's undo journals on this machine, one per run.

    Raises HarnessError unless the folder is private.
    """
    folder = folders.state() / "undo" / (os.uname().nodename or "localhost")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@contextmanager
def held(journal: Path) -> Iterator[bool]:
    """Lock a journal, so that no other process acts on it; yields whether that was possible.

    A run's supervisor holds the lock for its lifetime, and the kernel releases it then.
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
    """The id of this boot; no process of a journal from another boot can be alive."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return str(psutil.boot_time())


def end(journal: Path) -> list[str]:
    """End all processes of a journal and its run, then perform its actions; returns a line for each.

    Only failed actions, which another call retries, and unreadable lines remain in the journal. A line that a full disk
    tore must not keep the others from being undone.
    """
    undos, unreadable = _read(journal)
    names, everything = _frozen(undos, journal.stem)
    creators = {undo.pid: undo.created for undo in undos if undo.pid and undo.boot == boot_id()}
    creators |= {pid: born for pid, q in everything.items() if (born := _born(q))}
    kill_all(list(everything.values()))
    segments.remove(creators)
    for path in (Path(undo.folder) for undo in undos if undo.folder):
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):  # removed, as a folder
            path.unlink()
    actions = [undo for undo in undos if undo.action is not None]
    failures = perform([undo.action for undo in actions if undo.action is not None])
    undone = list(zip(actions, failures, strict=True))
    _keep(journal, [*unreadable, *(msgspec.json.encode(undo) for undo, why in undone if why)])
    told = [
        f"{type(undo.action).__name__.lower()} {f'NOT undone ({why})' if why else 'undone'}" for undo, why in undone
    ]
    # never the line itself: it may hold the password of a server
    return names + told + [f"an unreadable line of {len(line):,} bytes NOT undone" for line in unreadable]


def _frozen(undos: list[Undo], run_id: str) -> tuple[list[str], dict[int, psutil.Process]]:
    """Stop all processes of the run, so that they cannot start others; returns them with their names."""
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


def _keep(journal: Path, lines: list[bytes]) -> None:
    """Replace the journal atomically by these lines; remove it without any."""
    if not lines:
        journal.unlink(missing_ok=True)
        return
    part = journal.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(b"".join(line + b"\n" for line in lines))
    part.replace(journal)


def _read(journal: Path) -> tuple[list[Undo], list[bytes]]:
    """The entries, and the lines or parts of lines that are none; a last line without its end was never recorded."""
    undos, unreadable = list[Undo](), list[bytes]()
    for line in journal.read_bytes().split(b"\n")[:-1]:
        torn = line[: max(0, line.rfind(_BEGINS))]  # an entry may follow a part of another
        for part in filter(None, (torn, line.removeprefix(torn))):
            try:
                undos.append(msgspec.json.decode(part, type=Undo))
            except (msgspec.DecodeError, UnicodeDecodeError):
                unreadable.append(part)
    return undos, unreadable


def _alive(undo: Undo) -> psutil.Process | None:
    """The process of an entry, if boot, pid and creation time still match."""
    if not undo.pid or undo.boot != boot_id():
        return None
    try:
        process = psutil.Process(undo.pid)
        same = abs(process.create_time() - undo.created) < 0.02
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _carrying(run_id: str) -> Iterator[psutil.Process]:
    """Processes with the run's mark, or with its id in their environment."""
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
    """Wait for the harness to close the pipe, then clean up."""
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
