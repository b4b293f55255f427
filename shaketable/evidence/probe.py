"""The probe reads the target's reported health and the harness's own counts every 200 ms."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psutil

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.evidence.backlog import Backlog
from shaketable.op import Kind, Op, Scalar
from shaketable.target.bounded_http import NoResponse, get
from shaketable.target.target import Instance, Target

#: Milliseconds between two readings.
EVERY_MS = 200
#: Timeout of a health request in seconds.
ANSWER_S = 1.0
#: The most characters of a recorded text.
LONGEST = 100


class Probe:
    """Reads health, backlog, stored rows and memory until it is closed. Its last reading is `latest`."""

    def __init__(
        self, target: Target, backlog: Backlog, record: Callable[[Op], None], clock: Clock | None = None
    ) -> None:
        self._target, self._backlog, self._record = target, backlog, record
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(look,), daemon=True)
            for look in (self._look_at_health, self._look_at_backlog)
        ]
        self._seen: dict[str, Scalar] = {}
        self.latest: dict[str, Scalar] = {}
        self.errors = 0  # failed readings of the backlog

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, look: Callable[[], None]) -> None:
        while not self._stop.is_set():
            began = self._clock.now()
            look()
            spent_s = (self._clock.now() - began) / SECOND
            self._stop.wait(max(0.0, EVERY_MS / 1000 - spent_s))

    def _look_at_health(self) -> None:
        began = self._clock.now()
        told = self._ask()
        self.latest = {**told, **self._seen, **_memory(list(self._target.instances.values()))}
        self._record(Op("probe", Kind.PROBE, began, self._clock.now(), detail=self.latest))

    def _ask(self) -> dict[str, Scalar]:
        """The health reported by the intake; not answered unless the response is a JSON object."""
        url = self._target.intake_health_url
        if url is None:
            return {"answered": False, "health": None, "breaker": None}
        try:
            answer: Any = get(url, ANSWER_S).json()
            return {
                "answered": True,
                "health": _scalar(answer.get("healthScore")),
                "dead": _scalar(answer.get("deadLetterCount")),
                "breaker": _scalar(answer.get("circuitBreakerState")),
            }
        except (NoResponse, ValueError, AttributeError):
            return {"answered": False, "health": None, "breaker": None}

    def _look_at_backlog(self) -> None:
        counts = self._backlog.counts()
        self.errors += counts.stored is None
        self._seen = {"queue": counts.queue, "stored": counts.stored}


def _scalar(told: Any) -> Scalar:
    """A scalar member of a response; None for another type or an out-of-range integer."""
    if isinstance(told, str):
        return told[:LONGEST]
    if isinstance(told, int) and not -(2**63) <= told < 2**63:
        return None
    return told if isinstance(told, int | float) else None


def _memory(instances: list[Instance]) -> dict[str, Scalar]:
    """Resident bytes of each process with its descendants."""
    return {f"memory_{i.name}": sum(_resident(p) for p in i.child.tree()) for i in instances if i.child}


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
