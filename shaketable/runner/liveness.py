"""Liveness: whether the processes that a run stands on still run, although no fault has ended or frozen them.

These are the servers that the harness started, and the supervisor. Without one of them nothing can be said of the
target any more, so the run ends early and is unknown. One that somebody froze is let go on: it would hold up the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

import psycopg
import redis

from shaketable.errors import LoadEnded, ServerUnavailable, UnexpectedFailure
from shaketable.exit_code import ended

#: Seconds between two looks.
EVERY_S = 0.1
#: Looks in a row at which a process was frozen: then no fault is just about to let it go on.
FROZEN_LOOKS = 10
#: Seconds after an error within which a look shows whether a process had ended.
BEHIND_S = 1.0
SUPERVISOR = "supervisor"


class Watched(Protocol):
    """A process of the harness's own, as `shaketable.stack.process.Child` is."""

    name: str
    asked_to_end: bool
    asked_to_freeze: bool

    def poll(self) -> int | None: ...
    def is_stopped(self) -> bool: ...
    def resume(self) -> None: ...


class Liveness:
    """A thread that looks at each process of `watched`, which may grow. Use as a context manager.

    `watching` names the processes later than the constructor.

    `failures` are sentences: the process, its end, and the place of its log.
    """

    def __init__(self, watched: Callable[[], Iterable[Watched]] = tuple) -> None:
        self._watched = watched
        self._stop, self._seen = threading.Event(), threading.Event()
        self._frozen: dict[int, int] = {}  # looks in a row, by id of the object
        self._told: set[int] = set()
        self._thread = threading.Thread(target=self._repeat, name="liveness", daemon=True)
        self.failures: list[str] = []

    def watching(self, watched: Callable[[], Iterable[Watched]]) -> Self:
        """Watch these processes from now on."""
        self._watched = watched
        return self

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.look()  # a process that failed just now may be why the run ends

    def raise_error(self) -> None:
        """Raise Unordered when a process has failed."""
        if self.failures:
            raise UnexpectedFailure(self.failures)

    def behind(self, error: BaseException) -> Sequence[str]:
        """The failures that explain an error; none where it has another cause."""
        if isinstance(error, UnexpectedFailure):
            return error.failures
        if isinstance(error, LoadEnded):
            return [_sentence("the load generator", ended(error.code), error.log)]
        service = _silent(error) or _silent(error.__cause__)
        if service is not None:
            self._seen.wait(BEHIND_S)
        if self.failures or service is None:
            return self.failures
        return [_sentence(service, f"did not answer ({str(error).strip().splitlines()[0]})", "")]

    def _repeat(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.look()

    def look(self) -> None:
        """One look at each."""
        for process in list(self._watched()):
            for how in self._happened(process):
                self._told.add(id(process))
                self.failures.append(_sentence(process.name, how, "" if process.name == SUPERVISOR else process.name))
                self._seen.set()

    def _happened(self, process: Watched) -> Iterator[str]:
        code = process.poll()
        if code is not None and not process.asked_to_end and id(process) not in self._told:
            yield ended(code)
        frozen = code is None and not process.asked_to_freeze and process.is_stopped()
        looks = self._frozen[id(process)] = self._frozen.get(id(process), 0) + 1 if frozen else 0
        if looks == FROZEN_LOOKS:
            process.resume()
            yield f"was frozen (SIGSTOP) for {FROZEN_LOOKS * EVERY_S:g} s"


def _sentence(name: str, how: str, log: str) -> str:
    return f"{name} {how}, although no fault ordered it{f' (see logs/{log}.log)' if log else ''}"


def _silent(error: BaseException | None) -> str | None:
    """Which server an error says is unavailable; None where it says something else."""
    if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "57P").startswith("57P"):
        return "postgres"  # 57P: it shuts down, or another of its processes has crashed
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return "redis"
    return "toxiproxy" if isinstance(error, ServerUnavailable) else None
