"""A deployment: every process is replaced in turn, under load."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import Restart
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Every process is asked to end and replaced in turn, twice: all hand over what they hold, nothing is lost.",
    load=Load(rate=150, baseline_s=4, shake_s=18, recover_s=8),
    timeline=(
        At(0.5, 6, Restart("worker")),
        At(6.5, 9, Restart("intake")),
        At(9.5, 15, Restart("worker")),
        At(15.5, 17.5, Restart("intake")),
    ),
    settings={"lease_s": 3},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        LatencyBudget(acknowledged_within_s=1, stored_within_s=4),
        RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=6),
    ),
)
