"""The master: assigns the shares of a schedule, announces T0, and notices that a worker is lost."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from shaketable.clock import SECOND, Clock
from shaketable.errors import ShaketableError
from shaketable.load.distributed import messages, parts
from shaketable.load.distributed.messages import JOURNAL, Assigned, Begin, Done, Lines, Local, Ping, Pong, Ready
from shaketable.load.distributed.share import Share
from shaketable.rundir import RunDir

#: Nanoseconds between the last worker's readiness and T0, for the message to arrive.
LEAD = SECOND
#: Seconds between two looks at the workers. Locust reports a silent one as missing after about 4 s.
LOOK_S = 0.5
#: Locust's state of a worker whose heartbeats stopped.
MISSING = "missing"


class Team(messages.Runner, Protocol):
    """Locust's MasterRunner."""

    @property
    def clients(self) -> Any: ...


class Master:
    """Leads the workers through one test after another.

    `ended` is called once every worker has played its share, or with the reason why the target cannot be loaded.
    `most` is the number of workers that a run expects: it waits for no other journals than theirs.
    """

    def __init__(self, runner: Team, clock: Clock, ended: Callable[[str], None], most: int | None = None) -> None:
        self._runner, self._clock, self._ended, self._most = runner, clock, ended, most
        self._test = 0
        self._members: dict[str, int] = {}  # the index of each worker of this test, by Locust's id
        self._ready: set[int] = set()
        self._done: set[int] = set()
        self._lost: set[int] = set()
        self._started = False
        self._local: set[str] = set()  # workers that read the run directory
        self._journals: dict[str, Path] = {}  # of workers elsewhere
        self._received: Counter[str] = Counter()  # their parts so far
        messages.listen(runner, Ready, self._on_ready)
        messages.listen(runner, Done, self._on_done)
        messages.listen(runner, Local, lambda _, client_id: self._local.add(client_id))
        messages.listen(runner, Ping, self._on_ping)
        messages.listen(runner, Lines, self._on_lines)

    def begin(self, seed: int, run: RunDir | None = None) -> int:
        """Assign a share to each connected worker; returns their number. One that is late or too many sends nothing.

        The share of a run's schedule is sent to each worker that cannot read the run directory.
        """
        clients = self._runner.clients
        self._test += 1
        connected = [client.id for client in [*clients.ready, *clients.running, *clients.spawning]]
        self._members = {client_id: index for index, client_id in enumerate(connected[: self._most])}
        self._ready, self._done, self._lost, self._started = set(), set(), set(), False
        for client_id, index in self._members.items():
            share = Share(index, len(self._members))
            messages.send(self._runner, Assigned(self._test, share, seed), client_id)
            if run and client_id not in self._local:
                self._journals[client_id] = run.journal(share.process)
                for lines in parts.of(run, share):
                    messages.send(self._runner, lines, client_id)
        return len(self._members)

    def end(self) -> None:
        """The test ends: workers may leave."""
        self._members, self._started = {}, False

    def lost(self) -> list[str]:
        """The processes that were lost since the last call, before they had played their shares.

        A worker that reads a long schedule is silent for a while, so before T0 only one that has left is lost.
        """
        clients = self._runner.clients
        found = {index for client_id, index in self._members.items() if self._is_gone(clients.get(client_id))}
        fresh = found - self._done - self._lost
        self._lost |= fresh
        return _names(fresh)

    def _on_ready(self, message: Ready, _: str) -> None:
        if message.test != self._test or message.index in self._ready:
            return
        self._ready.add(message.index)
        if len(self._ready) == len(self._members):
            self._started = True
            start = Begin(self._test, self._clock.now() + LEAD)
            for client_id in self._members:
                messages.send(self._runner, start, client_id)

    def _on_done(self, message: Done, _: str) -> None:
        if message.test != self._test:
            return
        self._done.add(message.index)
        if message.why or len(self._done) == len(self._members):
            self._ended(message.why)

    def _on_ping(self, message: Ping, client_id: str) -> None:
        messages.send(self._runner, Pong(message.asked, self._clock.now()), client_id)

    def _on_lines(self, message: Lines, client_id: str) -> None:
        journal = self._journals.get(client_id)
        if journal is None or message.what != JOURNAL:
            return
        if message.number != self._received[client_id]:
            self._broken(f"expected part {self._received[client_id]} of {journal.name}, got {message.number}")
        self._received[client_id] += 1
        try:
            with open(journal, "a", encoding="utf-8", opener=_private) as out:
                out.write(message.text)
        except OSError as e:
            self._broken(f"{journal.name} cannot be written: {e.strerror or e}")

    def _broken(self, why: str) -> None:
        """End at once: with a part of a journal missing, stored events would look as if nobody had sent them."""
        print(f"locust: {why}", file=sys.stderr, flush=True)
        os._exit(ShaketableError.exit_code)

    def _is_gone(self, client: Any) -> bool:
        return client is None or (self._started and client.state == MISSING)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # it holds events


def _names(indexes: Iterable[int]) -> list[str]:
    return [Share(index).process for index in sorted(indexes)]
