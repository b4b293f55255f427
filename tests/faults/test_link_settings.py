"""What link faults may be asked for, and which faults the intake may suffer from."""

from __future__ import annotations

from typing import cast

import pytest

from shaketable.errors import ScenarioError
from shaketable.faults import Down, EnqueueReplyLost, Flaky, Kill, Latency, Pause, Silence, Slicer
from shaketable.faults.fault import Fault, FaultContext


class Named:
    """A context whose target names its intake as its manifest does."""

    intake, queue = "web-1", "redis"

    @property
    def processes(self) -> Named:
        return self

    services = processes

    def named(self, process: str | None = None) -> list[str]:
        return [name for name in ("web-1", "web-2", "ingest") if name.startswith(process or "")]


BENCH = cast(FaultContext, Named())


def test_latency_of_less_than_a_second_leaves_the_intake_its_budget() -> None:
    assert not Latency("redis", 300).blocks_intake(BENCH)
    assert Latency("redis", 1000).blocks_intake(BENCH)
    assert not Latency("postgres", 1000).blocks_intake(BENCH)


SUFFERS = [
    Down("ingest"),
    Down("redis"),
    Latency("redis", 1000, process="web"),
    EnqueueReplyLost("web"),
    Down("redis", process="web-1"),
    Kill("web"),
    Pause("web-1"),
]


@pytest.mark.parametrize("fault", SUFFERS, ids=lambda fault: fault.label)
def test_intake_suffers_from_what_its_own_process_meets(fault: Fault) -> None:
    assert fault.blocks_intake(BENCH)


@pytest.mark.parametrize(
    "fault",
    [Down("redis", process="web-2"), Flaky("redis", process="ingest"), Silence("postgres"), Kill("ingest")],
    ids=lambda fault: fault.label,
)
def test_intake_does_not_suffer_from_another_process_whatever_it_is_called(fault: Fault) -> None:
    assert not fault.blocks_intake(BENCH)


def test_slices_that_the_harness_could_not_get_through_in_time_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"10\.0 s, more than 2\.5"):
        Slicer("redis", bytes_=1, delay_us=5000)


@pytest.mark.parametrize("ms", [0, -300, 60_000])
def test_latency_that_is_none_or_too_much_is_refused(ms: int) -> None:
    with pytest.raises(ScenarioError, match=f"got {ms}"):
        Latency("postgres", ms=ms)
