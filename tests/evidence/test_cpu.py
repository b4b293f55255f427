"""The CPU that others use: what the machine did, less what this process and its descendants did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from shaketable.evidence.cpu import CpuOfOthers, _cpu_s

#: In which the kernel counts.
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
#: Uses half a second of CPU, and ends.
BURN = "import time\nwhile time.process_time() < 0.5: pass"


def meter(monkeypatch: pytest.MonkeyPatch, *samples: tuple[float, float, float]) -> CpuOfOthers:
    """Whose samples are CPU seconds of all cores, of those busy, and of the run."""
    following: Iterator[tuple[float, float, float]] = iter(samples)
    monkeypatch.setattr(CpuOfOthers, "_sample", lambda _: next(following))
    return CpuOfOthers()


def test_others_used_what_the_run_did_not(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = meter(monkeypatch, (100, 50, 10), (104, 53, 11), (108, 57, 15))
    assert [cpu.read() for _ in range(3)] == [
        {},
        {"cpu_busy": 0.75, "cpu_others": 0.5},
        {"cpu_busy": 1.0, "cpu_others": 0.0},
    ]


def test_nothing_is_told_when_cpu_of_the_run_is_missing_or_no_time_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = meter(monkeypatch, (100, 50, 10), (104, 53, 9), (104, 53, 9))
    assert [cpu.read() for _ in range(3)] == [{}, {}, {}]


def test_a_sample_of_this_machine() -> None:
    whole, busy, own = CpuOfOthers()._sample()
    assert 0 < own <= busy <= whole


def test_children_count_once_they_were_waited_for() -> None:
    before = _cpu_s(psutil.Process())
    subprocess.run([sys.executable, "-c", BURN], check=True)
    assert _cpu_s(psutil.Process()) - before >= 0.5 - 4 * TICK_S  # user and system time, each cut off to a tick, twice
