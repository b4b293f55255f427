"""The role of a Locust process: the master of a load from several processes, one of its workers, or neither."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gevent

from shaketable.clock import SystemClock
from shaketable.load.dispatcher import Dispatcher
from shaketable.load.distributed import messages
from shaketable.load.distributed.master import LOOK_S, Master
from shaketable.load.distributed.messages import Local
from shaketable.load.distributed.remote import Remote
from shaketable.load.distributed.share import WHOLE, Share
from shaketable.load.distributed.worker import Worker
from shaketable.load.options import LoadOptions, dispatcher, dispatcher_of
from shaketable.rundir import RunDir


@dataclass(frozen=True)
class Role:
    """Master or worker, or neither."""

    master: Master | None = None
    worker: Worker | None = None
    remote: Remote | None = None  # of a worker without the run directory

    @property
    def alone(self) -> bool:
        """Whether this process sends the whole load."""
        return self.master is None and self.worker is None

    def starts(self) -> bool:
        """Whether this process plays now that its users are there; a worker reports them, and waits for T0."""
        if self.worker:
            gevent.spawn(self._ready, self.worker)  # answers of the master arrive in the greenlet that calls this
        return self.alone

    def _ready(self, worker: Worker) -> None:
        if self.remote:
            self.remote.prepare()
        worker.ready()

    def end(self) -> None:
        """The test ends: from now on workers may leave."""
        if self.master:
            self.master.end()

    def assigned(self, options: LoadOptions) -> tuple[LoadOptions, Share | None]:
        """What this process sends in the test that begins; None is nothing."""
        if self.master:
            self.master.begin(options.seed, RunDir(options.run_dir) if options.run_dir else None)
            return options, None
        if self.worker is None:
            return options, WHOLE
        assigned = self.worker.take()
        return (replace(options, seed=assigned.seed), assigned.share) if assigned else (options, None)

    def dispatcher(self, options: LoadOptions, share: Share | None) -> Dispatcher:
        """Dispatch a share."""
        if self.remote and share and options.run_dir:
            return dispatcher_of(options, share, *self.remote.share(), self.remote.journal)
        return dispatcher(options, share)


def of(
    runner: Any,
    parsed: Any,
    *,
    play: Callable[[int, int], None],
    ended: Callable[[str], None],
    lost: Callable[[Sequence[str]], None],
) -> Role:
    """The role of Locust's runner.

    A worker calls `play` with its users and T0. The master calls `ended` (see Master), and `lost` with the names of
    workers that were lost.
    """
    if parsed.worker:
        return _worker(runner, parsed, play)
    if not parsed.master:
        return Role()
    master = Master(runner, SystemClock(), ended, parsed.expect_workers if parsed.run_dir else None)
    gevent.spawn(_watch, master, lost)
    return Role(master=master)


def _worker(runner: Any, parsed: Any, play: Callable[[int, int], None]) -> Role:
    _keep_a_user(runner)
    if parsed.run_dir:
        messages.send(runner, Local())
        return Role(worker=Worker(runner, lambda start: play(runner.user_count, start)))
    remote = Remote(runner, SystemClock())
    return Role(worker=Worker(runner, lambda start: play(runner.user_count, remote.own(start))), remote=remote)


def _keep_a_user(runner: Any) -> None:
    """Start at least one user in each worker: without one it could not send its share, whatever the web page asks."""
    start = runner.start_worker
    runner.start_worker = lambda counts, **how: start({name: max(1, count) for name, count in counts.items()}, **how)


def _watch(master: Master, lost: Callable[[Sequence[str]], None]) -> None:
    while True:
        gevent.sleep(LOOK_S)
        if names := master.lost():
            lost(names)
