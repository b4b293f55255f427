"""Dask: hand out cells to workers, one at a time to each, and collect their outcomes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import distributed
from distributed.core import Status

from shaketable.cells import task as tasks
from shaketable.cells.machines import Machines
from shaketable.cells.task import CellTask
from shaketable.errors import HarnessError, InputError

#: The resource of a worker that plays cells: of `cell=1` it plays one at a time.
RESOURCE = "cell"
#: Where Dask serves its state: else the scheduler takes port 8787, which may be in use, and a worker all addresses.
STATE_AT = "127.0.0.1:0"
#: A worker's first statement: Ctrl-C in a terminal is for the command alone, and its workers return what they have.
#: It sets a handler, since the programs that a worker starts would inherit that the signal is ignored.
DEAF = "import signal; signal.signal(signal.SIGINT, lambda *_: None)"
#: Seconds between two looks at the cells, and at the workers.
LOOK_S, WORKERS_S = 0.2, 2.0
#: Seconds to wait for the first worker, and for another when all have gone.
FIRST_S, NEXT_S = 600.0, 60.0
#: Seconds to wait for a scheduler to answer, and for the cells of an interrupted command to end.
CONNECT_S, END_S = 15.0, 40.0


def play(task: CellTask) -> None:
    """Play a cell in a worker; it ends when its worker does, and when nobody waits for it any more."""
    worker = distributed.get_worker()
    key = worker.get_current_task()
    ended = (Status.closing, Status.closed, Status.failed, Status.stopping)

    def unwanted() -> bool:
        state = worker.state.tasks.get(key)
        return worker.status in ended or state is None or state.state == "cancelled"

    _playing.add(key)
    try:
        tasks.play(task, unwanted, Path(worker.local_directory))
    finally:
        _playing.discard(key)


#: Keys of the cells that this worker plays.
_playing: set[Any] = set()


def _count() -> int:
    return len(_playing)


class CellCluster:
    """A context manager; leaving it ends the cells that are still played, and the workers that it started."""

    def __init__(self, machines: Machines, scratch: Path) -> None:
        self._machines, self._scratch, self._opened = machines, scratch, ExitStack()

    def __enter__(self) -> Self:
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # the outcomes of cells say the same
        with ExitStack() as opening:
            self._client = opening.enter_context(self._connected(opening))
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def play(self, cells: Sequence[CellTask]) -> Iterator[tuple[int, Exception | None]]:
        """Yield the number of each cell when it is done, with an error if it is lost; else the store has it.

        Nothing is asked of a worker, which may be behind a forwarded port.

        Closing the iterator, as Ctrl-C does, waits until the cells that are played have ended.
        """
        pending = {
            self._client.submit(play, cell, key=f"cell-{cell.digest}", resources={RESOURCE: 1}, pure=False): number
            for number, cell in enumerate(cells)
        }
        try:
            yield from self._done(pending)
        finally:
            self._cancel(list(pending))

    def _done(self, pending: dict[Any, int]) -> Iterator[tuple[int, Exception | None]]:
        until = time.monotonic() + FIRST_S
        looked, told = 0.0, False
        while pending:
            for future in [future for future in pending if future.done()]:
                yield pending.pop(future), _outcome(future)
            now = time.monotonic()
            if now - looked >= WORKERS_S:
                looked = now
                if self.workers():
                    until = now + NEXT_S
                elif not told:
                    told = True
                    words = f"--resources {RESOURCE}=1 --dashboard-address {STATE_AT}"
                    print(f"waiting for workers: dask worker {self._address} {words}", flush=True)
                if now > until:
                    for number in pending.values():
                        yield number, HarnessError(f"lost: no worker with the resource {RESOURCE}=1 is left")
                    return
            time.sleep(LOOK_S)

    @property
    def _address(self) -> str:
        return self._machines.on or str(self._client.scheduler.address)

    def workers(self) -> int:
        """How many workers can play cells; 0 when the scheduler has gone."""
        try:
            found: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, RuntimeError):
            return 0
        return sum(bool(worker["resources"].get(RESOURCE)) for worker in found.values())

    def _connected(self, opening: ExitStack) -> Any:
        if self._machines.on:
            try:
                return distributed.Client(self._machines.on, timeout=CONNECT_S, set_as_default=False)
            except (OSError, RuntimeError, ValueError) as e:
                raise InputError(
                    f"no scheduler answers at {self._machines.on}: start one, as docs/scaling.md says ({e})"
                ) from e
        cluster = opening.enter_context(
            distributed.LocalCluster(
                n_workers=self._machines.jobs, threads_per_worker=1, processes=True, host="127.0.0.1",
                resources={RESOURCE: 1}, memory_limit=0, security=True, protocol="tls",
                dashboard_address=None, preload=DEAF, scheduler_kwargs={"dashboard_address": STATE_AT},
                silence_logs=logging.CRITICAL, local_directory=str(self._scratch),
            )
        )  # fmt: skip
        return distributed.Client(cluster, set_as_default=False)

    def _cancel(self, pending: list[Any]) -> None:
        if not pending:
            return
        try:
            self._client.cancel(pending, force=True)
            until = time.monotonic() + END_S
            while time.monotonic() < until and any(self._client.run(_count, on_error="ignore").values()):
                time.sleep(LOOK_S)
        except (OSError, RuntimeError, TimeoutError):
            return  # the scheduler has gone: workers end with it, and cells with their workers


def _outcome(future: Any) -> Exception | None:
    """The error of a lost cell; errors come over the scheduler."""
    if future.status == "finished":
        return None
    error = future.exception() if future.status == "error" else None
    if isinstance(error, distributed.KilledWorker):
        return HarnessError(f"lost: its worker ended {error.allowed_failures + 1} times while it was played")
    return HarnessError(f"lost: {type(error).__name__}: {error}" if error else "lost: the scheduler has gone")
