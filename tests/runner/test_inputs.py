"""What goes in, as a run's schedule tells it."""

from __future__ import annotations

from pathlib import Path

from shaketable.runner import inputs
from tests.support.histories import run_of, sent


def test_drain_does_not_wait_for_events_that_should_have_been_refused(tmp_path: Path) -> None:
    parts = sent("good"), sent("bad", expect="refuse"), sent("doubtful", expect="either")
    run = run_of(parts, tmp_path)
    assert inputs.malformed_ids(run) == {"bad"}
    assert inputs.event_ids(run) == ["good"]
