"""CPU of programs outside of the run: the busy time of all cores, less that of the harness and its descendants."""

from __future__ import annotations

import psutil

from shaketable.op import Scalar


class CpuOfOthers:
    """Each reading is an average since the last one, so the first has nothing to tell."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._last: tuple[float, float, float] | None = None

    def read(self) -> dict[str, Scalar]:
        """`cpu_busy` and `cpu_others`, shares of all cores from 0 to 1; {} where they cannot be told.

        CPU time that a hypervisor took counts as used by others.
        """
        before, self._last = self._last, self._sample()
        if before is None:
            return {}
        whole, busy, own = (now - then for now, then in zip(self._last, before, strict=True))
        if whole <= 0 or own < 0:  # a process ended whose parent had gone: its time is nobody's
            return {}
        return {"cpu_busy": _share(busy / whole), "cpu_others": _share((busy - own) / whole)}

    def _sample(self) -> tuple[float, float, float]:
        """CPU seconds so far: of all cores, of those busy, and of the run."""
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        whole = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        own = sum(_cpu_s(one) for one in [self._process, *self._process.children(recursive=True)])
        return whole, whole - idle, own


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds of a process and of the children that it has waited for."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.Error:
        return 0.0


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)
