"""A timeline whose faults would undo each other is refused before anything starts."""

from __future__ import annotations

import pytest

from shaketable.errors import ScenarioError
from shaketable.faults import CommitReplyLost, Down, Flaky, Latency, Pause, Reset
from shaketable.faults.timeline import At, Timeline, check_apart

LINK, OTHER = ["worker-1-postgres"], ["worker-2-postgres"]
BOTH = [*LINK, *OTHER]


@pytest.mark.parametrize(
    "timeline",
    [
        (At(1, 5, Latency("postgres", 100)), At(4, 8, Latency("postgres", 100, process="worker-1"))),
        (At(4, 8, Pause("worker-1")), At(1, 9, Pause("worker"))),
        (At(1, 5, Down("postgres", mode="refused")), At(2, 3, Flaky("postgres"))),
        (At(1, 5, Reset("postgres")), At(2, 3, CommitReplyLost())),
    ],
)
def test_faults_that_would_heal_each_other_are_refused_by_name(timeline: Timeline) -> None:
    with pytest.raises(ScenarioError, match=r"overlap on worker-1-postgres.*before the other begins"):
        check_apart(timeline, [BOTH, LINK])


@pytest.mark.parametrize(
    "timeline",
    [
        (At(1, 4, Latency("postgres", 100)), At(4, 8, Latency("postgres", 100))),
        (At(1, 5, Latency("postgres", 100)), At(1, 5, Down("postgres"))),
        (At(1, 5, Down("postgres")), At(2, 3, Flaky("postgres"))),
    ],
)
def test_faults_of_other_kinds_or_one_after_another_may_meet(timeline: Timeline) -> None:
    check_apart(timeline, [BOTH, BOTH])


def test_faults_of_one_kind_that_break_different_things_may_overlap() -> None:
    check_apart((At(1, 5, Pause("worker-1")), At(2, 6, Pause("worker-2"))), [LINK, OTHER])
