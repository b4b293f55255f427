"""Lanes: trials that run at once, each lane with warm servers of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from shaketable.checks.check import Verdict
from shaketable.errors import HarnessError, NotPlayable
from shaketable.explore import trial
from shaketable.explore.trial import Played
from shaketable.runner.progress import SilentReporter, Status
from shaketable.runner.scenario import Scenario
from shaketable.stack.choice import Choice
from shaketable.stack.stack import Service, StackSource
from shaketable.stack.warm import WarmServers

#: The services whose disks can be broken.
DISKS: frozenset[Service] = frozenset({"postgres", "redis"})
#: The folder of the trials' run directories, in the folder of what was found.
TRIALS = "trials"
#: Says what a lane is trying, by its number; "" when it is idle.
Trying = Callable[[int, str], None]


class Player(Protocol):
    """Plays one scenario on a stack; `trial.play` does."""

    def __call__(
        self, scenario: Scenario, target: Path, runs: Path, stack: StackSource, reporter: StoppableReporter
    ) -> Played: ...


class StoppableReporter(SilentReporter):
    """Prints nothing, and ends its trial when the exploration stops, as Ctrl-C ends a run."""

    def __init__(self, stopping: threading.Event) -> None:
        super().__init__()
        self._stopping = stopping

    def print(self, text: str) -> None:  # noqa: ARG002
        self._check()

    def update(self, status: Status) -> None:  # noqa: ARG002
        self._check()

    def _check(self) -> None:
        if self._stopping.is_set():
            raise KeyboardInterrupt


class Lane:
    """One trial at a time. Its servers start at the first trial, and anew after a trial that has no run directory.

    Trials whose faults break disks have servers of their own, which load a library; so the others run without it.
    """

    def __init__(self, number: int, target: Path, runs: Path, play: Player, warm: bool) -> None:
        self.number, self._target, self._runs, self._play, self._warm = number, target, runs, play, warm
        self._servers: dict[bool, WarmServers] = {}  # by whether their disks can be broken

    def play(self, scenario: Scenario, cold: bool, reporter: StoppableReporter) -> Played:
        """Play it on warm servers, or on servers of its own: cold, or with settings that the warm ones lack."""
        cold = cold or not self._warm or bool(scenario.servers)
        stack = Choice() if cold else self._started(bool(scenario.server_options.disks))
        played = self._play(scenario, self._target, self._runs, stack, reporter)
        if played.run is None:
            self.close()
        return played

    def close(self) -> None:
        """End the servers. Raises HarnessError when one cannot be ended."""
        with ExitStack() as closing:
            while self._servers:
                closing.push(self._servers.popitem()[1])

    def _started(self, with_disks: bool) -> WarmServers:
        if with_disks not in self._servers:
            disks = DISKS if with_disks else frozenset()
            self._servers[with_disks] = WarmServers(lambda _: None, disks).__enter__()
        return self._servers[with_disks]


class Lanes:
    """A context manager; leaving it ends the trials that run, and the servers."""

    def __init__(
        self,
        count: int,
        target: Path,
        runs: Path,
        trying: Trying = lambda _, __: None,
        play: Player = trial.play,
        warm: bool = True,
    ) -> None:
        self.count, self._trying = count, trying
        self._stopping = threading.Event()
        self._lanes = [Lane(number, target, runs, play, warm) for number in range(count)]
        self._free: queue.SimpleQueue[Lane] = queue.SimpleQueue()
        for lane in self._lanes:
            self._free.put(lane)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lane")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)
        for lane in self._lanes:
            lane.close()

    def submit(self, scenario: Scenario, what: str, cold: bool = False) -> Future[Played]:
        """Play a trial as soon as a lane is free; `what` says for the live view what it is."""
        return self._pool.submit(self._played, scenario, what, cold)

    def play(self, scenarios: Iterable[Scenario], what: str, cold: bool = False) -> Iterator[Played]:
        """Play all of them, and yield each when it is done. Closing the iterator cancels those that have not begun."""
        futures = [self.submit(scenario, what, cold) for scenario in scenarios]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()

    def _played(self, scenario: Scenario, what: str, cold: bool) -> Played:
        lane = self._free.get()
        try:
            self._trying(lane.number, what)
            return lane.play(scenario, cold, StoppableReporter(self._stopping))
        except (HarnessError, NotPlayable) as e:  # the warm servers did not start, or did not end
            return Played(scenario, Verdict.UNKNOWN, why=f"{type(e).__name__}: {e}")
        finally:
            self._trying(lane.number, "")
            self._free.put(lane)
