"""Which events RejectRows makes poison."""

from __future__ import annotations

import random
import uuid

import pytest

from shaketable.errors import ScenarioError
from shaketable.faults import RejectRows


def test_run_of_no_event_is_refused() -> None:
    with pytest.raises(ScenarioError, match="got 0"):
        RejectRows(run=0)


def test_poison_in_a_row_is_chosen_by_the_first_of_each_run() -> None:
    made = [str(uuid.UUID(int=random.Random(n).getrandbits(128), version=4)) for n in range(3_000)]
    chosen = set(RejectRows(0.2, run=30).chosen(made))
    assert len(chosen) == pytest.approx(0.2 * 3_000, rel=0.5)
    for at in range(0, 3_000, 30):
        assert len(chosen & {*made[at : at + 30]}) in (0, 30)
    assert RejectRows(0.2).chosen(made) != RejectRows(0.2, run=30).chosen(made)
