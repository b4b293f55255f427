"""Locust as a child process of the harness, because gevent's monkey patching affects the whole process."""

from __future__ import annotations

import errno
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shaketable import resources, rundir
from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.errors import HarnessError, InputError, LoadEnded
from shaketable.files import foreign
from shaketable.load import sender
from shaketable.load.batch import Batch, encoded
from shaketable.load.distributed.share import Share
from shaketable.load.distributed.workers import Workers
from shaketable.load.journal_tail import JournalTails, Progress
from shaketable.load.options import REQUEST_TIMEOUT_S, USERS
from shaketable.load.outcome import ACCEPTED, DEFINITE_REFUSALS
from shaketable.load.send_queue import RESEND_FOR_S
from shaketable.op import Op
from shaketable.rundir import RunDir

#: Above this number, more users of one process cost more than they help.
MOST_USERS = 2_500
#: Seconds that Locust may take to end after SIGTERM, beyond a request's timeout.
GRACE_S = 5.0
#: Seconds that the master may take to end after its workers.
MASTER_S = 2.0
#: Seconds between two reads of the journal while waiting.
LOOK_EVERY_S = 0.05
#: Free bytes below which the disk counts as full; Locust cannot log that itself.
ROOM = 65_536


class ProcessHandle(Protocol):
    """A started process: subprocess.Popen or a child of the supervisor."""

    def poll(self) -> int | None: ...
    def send_signal(self, number: int, /) -> None: ...
    def kill(self) -> None: ...


Spawn = Callable[[Sequence[str], Path], ProcessHandle]


def users_for(rate: float, request_timeout_s: float = REQUEST_TIMEOUT_S, workers: int = 1) -> int:
    """Users for a stalled target: all requests of one timeout are in flight at once."""
    return min(max(USERS, math.ceil(rate * request_timeout_s)), MOST_USERS * workers)


@dataclass
class LocustProcess:
    """Sends a run directory's schedule to `host`; with `workers`, by several processes and their master."""

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
    batch: Batch | None = None
    traced: bool = False  # each event has a traceparent of its own
    sender: str = ""  # FILE:CLASS, which sends instead of HTTP
    workers: Workers | None = None
    spawn: Spawn | None = None
    clock: Clock = field(default_factory=SystemClock)
    locustfile: Path | None = None
    drained: Path | None = None  # resends in drain wait until `target_drained` creates this file; None: they do not

    def __post_init__(self) -> None:
        self.log = self.run.logs / "locust.log"
        self._children: dict[str, ProcessHandle] = {}  # by the name of its log; workers come last
        count = self.workers.count if self.workers else 1
        self._tails = JournalTails([self.run.journal(Share(index).process) for index in range(count)])

    def command(self, *more: str) -> list[str]:
        """Locust's whole command line."""
        return [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(self.locustfile or resources.find("locustfiles/ingest.py")),
            "--headless",
            "--only-summary",
            *(["--sender", self.sender] if self.sender else ["--host", self.host]),
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
            *(["--batch", encoded(self.batch)] if self.batch else []),
            *(["--traced"] if self.traced else []),
            *(["--drained", str(self.drained.resolve())] if self.drained else []),
            *more,
        ]

    def start(self) -> None:
        """Start Locust; the schedule begins half a second after its last user has started."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        roles = self.workers.commands() if self.workers else [("locust", [])]
        for name, options in roles:
            log = self.log.with_name(f"{name}.log")
            self._children[name] = (self.spawn or self._popen)(self.command(*options), log)

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
        while (start := self._tails.read().start) is None:
            self._check_disk()
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
        return self._tails.all_done

    def poll(self) -> int | None:
        """Locust's exit code, or None while any of its processes runs."""
        codes = [child.poll() for child in self._children.values()]
        return None if None in codes else next((code for code in codes if code), 0 if codes else None)

    def target_drained(self) -> None:
        """Let the resends go that wait until the target has drained."""
        if self.drained:
            self.drained.touch()

    def progress(self) -> Progress:
        """Counts so far.

        Raises HarnessError when Locust ended before its schedule, and InputError when the target's responses violate
        the contract so that no load makes sense.
        """
        tails = self._tails.read()
        if why := next((why for op in tails.done if (why := op.detail.get("broken"))), None):
            raise InputError(f"the load was ended: {why}")
        if not tails.all_done:
            self._check_alive()
        return tails.progress()

    def check_sender(self, when: str = "") -> None:
        """Raise InputError if the sender failed at every attempt so far."""
        tails = self._tails.read()
        if self.sender and tails.failed and tails.failed == tails.progress().attempts:
            raise InputError(
                f"{sender.shown(self.sender)} ({sender.KEY}) failed at each of {tails.failed} sends{when}, at last by "
                f"{tails.failure}: repair it, and try it with shaketable doctor --target"
            )

    def check_whole(self) -> None:
        """Raise LoadEnded if a worker elsewhere was stopped before it had returned its whole journal."""
        if self.workers and self.workers.elsewhere and not self._tails.read().all_done:
            raise LoadEnded("a worker elsewhere did not return its whole journal", self.poll() or 0)

    def acknowledged(self) -> set[str]:
        """The ids of the events acknowledged so far."""
        return self._tails.read().acknowledged()

    def counts(self) -> Op | None:
        """The DONE op with the load's counts and lateness; None before the end."""
        return self._tails.read().counts()

    def stop(self, grace_s: float | None = None) -> int | None:
        """Send SIGTERM, which lets requests in flight finish, then SIGKILL. Returns the exit code."""
        alive = [child for child in self._children.values() if child.poll() is None]
        for child in alive[:1] if len(alive) == len(self._children) else alive:  # the master ends its workers
            child.send_signal(signal.SIGTERM)
        if not self._gone(alive, self.request_timeout_s + GRACE_S if grace_s is None else grace_s):
            for child in alive:
                child.kill()
            self._gone(alive, GRACE_S)
        return self.poll()

    def _gone(self, children: Sequence[ProcessHandle], within_s: float) -> bool:
        deadline = self.clock.now() + int(within_s * SECOND)
        while (alive := any(child.poll() is None for child in children)) and self.clock.now() < deadline:
            self.clock.sleep(LOOK_EVERY_S)
        return not alive

    def last_log_lines(self, lines: int = 8, name: str = "locust") -> str:
        """The last lines of a process's log."""
        return " | ".join(foreign.tail(self.log.with_name(f"{name}.log"), lines)) or "its log is empty"

    def _check_alive(self) -> None:
        if not self._children:
            raise HarnessError("expected a load under way, got none: call start() first")
        if not self._ended() or self._tails.read().all_done:  # in this order: it ends once its journal is complete
            return
        self._check_disk()
        if not any(self._ended().values()):  # a worker that its master has ended: the master's code says why
            self._gone(list(self._children.values())[:1], MASTER_S)
        ended = self._ended()
        name, code = next((found for found in reversed(ended.items()) if found[1]), next(iter(ended.items())))
        if code == InputError.exit_code:
            raise InputError(f"the load was ended: {self.last_log_lines(1, name).removeprefix('locust: ')}")
        why = self.last_log_lines(name=name)
        raise LoadEnded(f"Locust ended with exit code {code} before its schedule was played: {why}", code, name)

    def _ended(self) -> dict[str, int]:
        """The exit codes of the processes that have ended, by the names of their logs."""
        return {name: code for name, child in self._children.items() if (code := child.poll()) is not None}

    def _check_disk(self) -> None:
        if shutil.disk_usage(self.log.parent).free < ROOM:
            raise rundir.refused(self.log.parent, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
