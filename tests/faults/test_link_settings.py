"""What link faults may be asked for, and which of them the intake may suffer from."""

from __future__ import annotations

import pytest

from shaketable.errors import ScenarioError
from shaketable.faults import Latency, Slicer


def test_latency_of_less_than_a_second_leaves_the_intake_its_budget() -> None:
    assert not Latency("redis", 300).blocks_intake
    assert Latency("redis", 1000).blocks_intake
    assert not Latency("postgres", 1000).blocks_intake


def test_slices_that_the_harness_could_not_get_through_in_time_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"10\.0 s, more than 2\.5"):
        Slicer("redis", bytes_=1, delay_us=5000)


@pytest.mark.parametrize("ms", [0, -300, 60_000])
def test_latency_that_is_none_or_too_much_is_refused(ms: int) -> None:
    with pytest.raises(ScenarioError, match=f"got {ms}"):
        Latency("postgres", ms=ms)
