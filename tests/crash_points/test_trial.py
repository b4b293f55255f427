"""The trial of a crash point: what it sends."""

from __future__ import annotations

from itertools import pairwise

from shaketable.crash_points import trial
from shaketable.load.schedule import RESENDS, schedule
from tests.load.test_schedule import CORPUS


def test_trial_has_each_kind_of_resend_and_neighbours_whose_order_is_known() -> None:
    one = trial.scenario(None, "kill", 1)
    planned = schedule(one.load, one.mix, CORPUS, one.seed)
    assert {p.resend for p in planned} >= set(RESENDS)
    ordered = [p.organization for p in planned if p.ordered]
    assert any(organization == following for organization, following in pairwise(ordered))
