"""Judging and reporting a large run: exact counts, within bounds, scaled down from a million events."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.checks import measure
from bench.synthetic import Planted, write
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import judge_run


@pytest.mark.long
@pytest.mark.slow
def test_hundred_thousand_events_are_judged_exactly_and_in_time(tmp_path: Path) -> None:
    cost = measure(tmp_path, 100_000)
    assert cost.found == cost.planted
    assert cost.cpu_s < 30  # a tenth of the events in half the time: most of that is start-up
    assert cost.memory_mb < 600
    assert cost.page_mb < 5


@pytest.mark.slow
def test_synthetic_run_without_anomalies_passes_every_check_that_applies(tmp_path: Path) -> None:
    doc = judge_run(write(tmp_path, 80_000, Planted(0, 0, 0, 0, 0, 0)))
    wrong = {
        name: found.why
        for name, found in doc.checks.items()
        if found.verdict not in (Verdict.PASSED, Verdict.NOT_APPLICABLE)
    }
    assert set(wrong) <= {"dead_letters_explained", "memory_bounded"}, wrong
    assert doc.lives == []


def test_too_few_events_for_the_anomalies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        write(tmp_path, 100)
