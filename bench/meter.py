"""What a figure cost: CPU of each process, and how much of the machine was busy with something else meanwhile."""

from __future__ import annotations

import os
import time

import psutil

from bench.figure import Figure
from bench.stage import Stage


class Meter:
    """Begins when it is made; `figure` ends it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._cpu, self._busy, self._own = stage.cpu_s(), _busy_s(), _own_s()
        self._began = time.perf_counter()

    def figure(self, name: str, count: int, took: float | None = None, told: dict[str, float] | None = None) -> Figure:
        """So many events in `took` seconds, by default since the beginning; `told` by the load, when there was one."""
        took = took or time.perf_counter() - self._began
        spent = {process: now - self._cpu[process] for process, now in self._stage.cpu_s().items()}
        others = _busy_s() - self._busy - sum(spent.values()) - (_own_s() - self._own)
        return Figure(
            name,
            count / took,
            count,
            {process: round(seconds / count * 1e6, 1) for process, seconds in spent.items()},
            {point: round(told[f"{point}_ms"], 2) for point in ("p50", "p99")} if told else {},
            round(max(0.0, others / (time.perf_counter() - self._began)), 1),
        )


def _busy_s() -> float:
    """CPU seconds that all cores together have worked since the machine started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _own_s() -> float:
    """CPU seconds of this process and of those it has waited for: the client among them."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
