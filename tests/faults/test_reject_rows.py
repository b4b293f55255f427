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


def drawn(seed: int, count: int = 3_000) -> list[str]:
    source = random.Random(seed)
    return [str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(count)]


def test_one_of_so_many_runs_is_poison_and_a_run_is_so_as_a_whole() -> None:
    made = drawn(1)
    chosen = set(RejectRows(0.2, run=30).chosen(made))
    poison = [len(chosen & {*made[at : at + 30]}) for at in range(0, 3_000, 30)]
    assert set(poison) == {0, 30}
    assert [sum(poison[at : at + 5]) for at in range(0, 100, 5)] == [30] * 20
    assert RejectRows(0.2).chosen(made) != RejectRows(0.2, run=30).chosen(made)


@pytest.mark.parametrize("seed", range(40))
def test_short_schedule_has_poison_whatever_its_ids(seed: int) -> None:
    assert len(RejectRows(0.2, run=60).chosen(drawn(seed, 310))) == 60 + 10


def test_share_of_one_is_all_and_a_short_last_run_is_no_error() -> None:
    made = drawn(2, 100)
    assert RejectRows(1, run=30).chosen(made) == made
    assert RejectRows(0.4, run=60).chosen([]) == []
