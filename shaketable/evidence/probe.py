"""The probe reads the target's reported health, its counters, the harness's own counts, and the machine's CPU."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.evidence import counters
from shaketable.evidence.backlog import Backlog
from shaketable.evidence.cpu import CpuOfOthers
from shaketable.evidence.memory import resident
from shaketable.op import Kind, Op, Scalar
from shaketable.target.bounded_http import NoResponse, get
from shaketable.target.readers.queue import CURRENT_S
from shaketable.target.target import Target

#: Milliseconds between two readings, between two of the CPU, which cost a hundred times as much, and of the counters.
EVERY_MS, CPU_EVERY_MS, COUNTERS_EVERY_MS = 200, 1000, 1000
#: Timeout of a health request in seconds.
ANSWER_S = 1.0
#: The most characters of a recorded text.
LONGEST = 100


class Probe:
    """Reads health, backlog, stored rows, memory and CPU until it is closed. Its last reading is `latest`.

    A queue's length that is older than CURRENT_S is recorded as unknown. Without `cpu` it is not known what others
    used: where servers of the run are not descendants of the harness.
    """

    def __init__(
        self,
        target: Target,
        backlog: Backlog,
        record: Callable[[Op], None],
        clock: Clock | None = None,
        cpu: CpuOfOthers | None = None,
    ) -> None:
        self._target, self._backlog, self._record, self._cpu = target, backlog, record, cpu
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        looks = [(self._look_at_health, EVERY_MS), (self._look_at_backlog, EVERY_MS)]
        looks += [(self._look_at_cpu, CPU_EVERY_MS)] if cpu else []
        self._table = target.manifest.metrics
        looks += [(self._look_at_counters, COUNTERS_EVERY_MS)] if self._table else []
        self._threads = [threading.Thread(target=self._repeat, args=look, daemon=True) for look in looks]
        self._queue: tuple[int, int | None] = (0, None)  # when its reading began, and its length
        self._stored: tuple[int, int | None] = (0, None)  # the same of the stored rows
        self._used: dict[str, Scalar] = {}
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

    def _repeat(self, look: Callable[[], None], every_ms: int) -> None:
        while not self._stop.is_set():
            began = self._clock.now()
            look()
            spent_s = (self._clock.now() - began) / SECOND
            self._stop.wait(max(0.0, every_ms / 1000 - spent_s))

    def _look_at_health(self) -> None:
        began = self._clock.now()
        told = self._ask()
        memory = resident(list(self._target.instances.values()))
        (since, queue), now = self._queue, self._clock.now()
        current = queue if now - since <= CURRENT_S * SECOND else None  # its reader hangs, or is about to
        counted, stored = self._stored
        rows = {"stored": stored, "stored_age_s": (now - counted) / SECOND}
        self.latest = {**told, "queue": current, **rows, **self._used, **memory}
        self._record(Op("probe", Kind.PROBE, began, now, detail=self.latest))

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
                "depth": _scalar(answer.get("queueDepth")),
                "breaker": _scalar(answer.get("circuitBreakerState")),
            }
        except (NoResponse, ValueError, AttributeError):
            return {"answered": False, "health": None, "breaker": None}

    def _look_at_backlog(self) -> None:
        began = self._clock.now()
        self._queue = (began, self._backlog.queue(CURRENT_S))
        began = self._clock.now()
        stored = self._backlog.stored()  # may take seconds, while the queue's length grows old
        self._stored = (began, stored)
        self.errors += stored is None

    def _look_at_counters(self) -> None:
        assert self._table is not None
        for instance in self._target.instances.values():
            before, began = instance.incarnation, self._clock.now()
            read = counters.read(instance, self._table) if instance.kind.health else None
            if read is not None and instance.incarnation == before:
                detail: dict[str, Scalar] = {"incarnation": str(before), **read}
                self._record(Op(instance.name, Kind.COUNTERS, began, self._clock.now(), detail=detail))

    def _look_at_cpu(self) -> None:
        assert self._cpu is not None
        self._used = self._cpu.read()


def _scalar(told: Any) -> Scalar:
    """A scalar member of a response; None for another type or an out-of-range integer."""
    if isinstance(told, str):
        return told[:LONGEST]
    if isinstance(told, int) and not -(2**63) <= told < 2**63:
        return None
    return told if isinstance(told, int | float) else None
