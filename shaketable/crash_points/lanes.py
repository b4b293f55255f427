"""Lanes: trials that run at once, each lane with warm servers of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from shaketable.crash_points import survey, trial
from shaketable.crash_points.point import How, Point
from shaketable.crash_points.relayed import RelayedServers
from shaketable.crash_points.survey import Survey
from shaketable.crash_points.trial import PointTrial
from shaketable.explore.lanes import StoppableReporter
from shaketable.stack.warm import WarmServers


@dataclass
class TrialLanes:
    """A context manager; leaving it ends the trials that run, and all servers. `trying` hears what a lane begins."""

    count: int
    how: How
    seed: int
    target: Path
    runs: Path
    rate: float = trial.RATE  # events a second
    trying: Callable[[Point], None] = lambda _: None
    _local: threading.local = field(default_factory=threading.local)

    def __enter__(self) -> Self:
        self._stopping, self._opened, self._lock = threading.Event(), ExitStack(), threading.Lock()
        self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="lane")
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)
        self._opened.close()

    def survey(self) -> Survey:
        """All points of the target. Raises TargetError, or an error of the harness."""
        return self._pool.submit(
            lambda: survey.take(self.how, self.seed, self.target, self.runs, self._servers(), self.rate)
        ).result()

    def play(self, points: Sequence[Point]) -> Iterator[PointTrial]:
        """Play a trial at each point, and yield each when it is done. Raises HarnessError when servers do not start."""
        futures: list[Future[PointTrial]] = [self._pool.submit(self._played, point) for point in points]
        for future in as_completed(futures):
            yield future.result()

    def _played(self, point: Point) -> PointTrial:
        servers = self._servers()
        self.trying(point)
        reporter = StoppableReporter(self._stopping)
        played = trial.play(point, self.how, self.seed, self.target, self.runs, servers, reporter, self.rate)
        if played.run is None:  # one of the servers may be the reason: the lane's next trial starts others
            del self._local.servers
            with ExitStack() as closing:
                closing.push(servers.warm)
        return played

    def _servers(self) -> RelayedServers:
        """The servers of this thread's lane, started at its first trial, and anew after one without a run directory."""
        if not hasattr(self._local, "servers"):
            warm = WarmServers(lambda _: None).__enter__()
            with self._lock:
                self._opened.push(warm)
            self._local.servers = RelayedServers(warm)
        found: RelayedServers = self._local.servers
        return found
