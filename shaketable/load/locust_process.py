"""Locust as a child process of the harness, because gevent's monkey patching affects the whole process."""

from __future__ import annotations

import errno
import math
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from shaketable import resources, rundir
from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import HarnessError, InputError, LoadEnded
from shaketable.files import foreign
from shaketable.load.options import PROCESS, REQUEST_TIMEOUT_S, USERS
from shaketable.load.outcome import ACCEPTED, DEFINITE_REFUSALS
from shaketable.load.send_queue import RESEND_FOR_S
from shaketable.op import Kind, Op, Outcome
from shaketable.rundir import RunDir

#: Above this number, more users cost more than they help.
MOST_USERS = 2_500
#: Seconds that Locust may take to end after SIGTERM, beyond a request's timeout.
GRACE_S = 5.0
#: Seconds between two reads of the journal while waiting.
LOOK_EVERY_S = 0.05


class ProcessHandle(Protocol):
    """A started process: subprocess.Popen or a child of the supervisor."""

    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...


Spawn = Callable[[Sequence[str], Path], ProcessHandle]


class Progress(msgspec.Struct, frozen=True):
    """The journal so far: events by the best outcome of their attempts."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    indeterminate: int = 0
    unsent: int = 0
    given_up: int = 0
    attempts: int = 0
    done: bool = False


def users_for(rate: float, request_timeout_s: float = REQUEST_TIMEOUT_S) -> int:
    """Users for a stalled target: all requests of one timeout are in flight at once."""
    return min(max(USERS, math.ceil(rate * request_timeout_s)), MOST_USERS)


@dataclass
class LocustProcess:
    """Sends a run directory's schedule to `host`."""

    run: RunDir
    host: str
    env: Mapping[str, str]
    cwd: Path
    users: int = USERS
    path: str = "/events"
    method: str = "POST"
    request_timeout_s: float = REQUEST_TIMEOUT_S
    resend_for_s: float = RESEND_FOR_S
    definite_refusals: Collection[int] = DEFINITE_REFUSALS
    accepted: Collection[int] = ACCEPTED
    spawn: Spawn | None = None
    clock: Clock = field(default_factory=SystemClock)
    locustfile: Path | None = None

    def __post_init__(self) -> None:
        self.log = self.run.logs / "locust.log"
        self._child: ProcessHandle | None = None
        self._tail = JournalTail(self.run.journal(PROCESS))

    def command(self) -> list[str]:
        """Locust's whole command line."""
        return [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(self.locustfile or resources.find("locustfiles/ingest.py")),
            "--headless",
            "--only-summary",
            "--host",
            self.host,
            "--users",
            str(self.users),
            "--spawn-rate",
            str(self.users),
            "--run-dir",
            str(self.run.path.resolve()),
            "--path",
            self.path,
            "--method",
            self.method,
            "--resend-for",
            str(self.resend_for_s),
            "--request-timeout",
            str(self.request_timeout_s),
            "--stop-timeout",
            str(math.ceil(self.request_timeout_s)),
            "--definite-refusals",
            ",".join(map(str, sorted(self.definite_refusals))),
            "--accepted",
            ",".join(map(str, sorted(self.accepted))),
        ]

    def start(self) -> None:
        """Start Locust; the schedule begins half a second after its last user has started."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._child = (self.spawn or self._popen)(self.command(), self.log)

    def _popen(self, command: Sequence[str], log: Path) -> ProcessHandle:
        with log.open("ab") as out:
            return subprocess.Popen(
                command,
                env=dict(self.env),
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_started(self, timeout_s: float = 30.0) -> int:
        """Wait for T0, in monotonic nanoseconds. Raises HarnessError when Locust exits or does not start."""
        deadline = self.clock.now() + int(timeout_s * SECOND)
        while (start := self._tail.read().start) is None:
            self._check_alive()
            if self.clock.now() > deadline:
                raise HarnessError(
                    f"expected Locust to open {self.users} users within {timeout_s:g} s, got none: "
                    f"{self.last_log_lines()}"
                )
            self.clock.sleep(LOOK_EVERY_S)
        return start

    def wait_done(self, timeout_s: float) -> bool:
        """Wait for the end of the schedule; return whether all attempts were answered within `timeout_s`."""
        deadline = self.clock.now() + int(timeout_s * SECOND)
        while not self.progress().done and self.clock.now() < deadline:
            self.clock.sleep(LOOK_EVERY_S)
        return self._tail.done is not None

    def poll(self) -> int | None:
        """Locust's exit code, or None while it runs."""
        return self._child.poll() if self._child else None

    def progress(self) -> Progress:
        """Counts so far.

        Raises HarnessError when Locust ended before its schedule, and InputError when the target's responses violate
        the contract so that no load makes sense.
        """
        tail = self._tail.read()
        if tail.done is None:
            self._check_alive()
        elif why := tail.done.detail.get("broken"):
            raise InputError(f"the load was ended: {why}")
        return tail.progress()

    def acknowledged(self) -> set[str]:
        """The ids of the events acknowledged so far."""
        return {event_id for event_id, best in self._tail.read().best.items() if best is Outcome.ACKNOWLEDGED}

    def counts(self) -> Op | None:
        """The DONE op with the load's counts and lateness; None before the end."""
        return self._tail.read().done

    def stop(self, grace_s: float | None = None) -> int | None:
        """Send SIGTERM, which lets requests in flight finish, then SIGKILL. Returns the exit code."""
        process = self._child
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        if not self._ends(process, self.request_timeout_s + GRACE_S if grace_s is None else grace_s):
            process.kill()
            self._ends(process, GRACE_S)
        return process.poll()

    def _ends(self, process: ProcessHandle, within_s: float) -> bool:
        deadline = self.clock.now() + int(within_s * SECOND)
        while process.poll() is None and self.clock.now() < deadline:
            self.clock.sleep(LOOK_EVERY_S)
        return process.poll() is not None

    def last_log_lines(self, lines: int = 8) -> str:
        """The last lines of Locust's log."""
        return " | ".join(foreign.tail(self.log, lines)) or "its log is empty"

    def _check_alive(self) -> None:
        if self._child is None:
            raise HarnessError("expected a load under way, got none: call start() first")
        code = self._child.poll()
        if code is not None and self._tail.read().done is None:
            if shutil.disk_usage(self.log.parent).free < ROOM:
                raise rundir.refused(self.log.parent, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            raise LoadEnded(
                f"Locust ended with exit code {code} before its schedule was played: {self.last_log_lines()}", code
            )


class JournalTail:
    """Reads a growing journal, each line once."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._rest = path, 0, b""
        self._decode = msgspec.json.Decoder(Op).decode
        self.best: dict[str, Outcome] = {}
        self._kinds: Counter[Kind] = Counter()
        self._sent: set[str] = set()
        self.start: int | None = None
        self.done: Op | None = None

    def read(self) -> JournalTail:
        """Read the lines written since the last call."""
        if not self._path.exists():
            return self
        with self._path.open("rb") as journal:
            journal.seek(self._at)
            fresh = journal.read()
        self._at += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            self._take(self._decode(line))
        return self

    def _take(self, op: Op) -> None:
        self._kinds[op.kind] += 1
        if op.kind is Kind.START:
            self.start = op.invoked_at
        elif op.kind is Kind.DONE:
            self.done = op
        elif op.kind is Kind.INTENT and op.event_id:
            self._sent.add(op.event_id)
        elif op.kind is Kind.SEND and op.event_id and op.outcome:
            self.best[op.event_id] = max(op.outcome, self.best.get(op.event_id, op.outcome), key=_BETTER.index)

    def progress(self) -> Progress:
        best, kinds = Counter(self.best.values()), self._kinds
        return Progress(
            sent=len(self._sent),
            acknowledged=best[Outcome.ACKNOWLEDGED],
            refused=best[Outcome.REFUSED],
            indeterminate=best[Outcome.INDETERMINATE],
            unsent=kinds[Kind.UNSENT],
            given_up=kinds[Kind.GIVE_UP],
            attempts=kinds[Kind.SEND],
            done=self.done is not None,
        )


#: Free bytes below which the disk counts as full; Locust cannot log that itself.
ROOM = 65_536
#: An event's outcome is the best of its attempts: acknowledged, else indeterminate, else refused.
_BETTER = (Outcome.REFUSED, Outcome.INDETERMINATE, Outcome.ACKNOWLEDGED)
