"""A worker dies in the middle of its work."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    LatencyBudget,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
)
from shaketable.faults import Kill
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="One worker of two is killed under load, later both: the other takes over within a lease, nothing doubles.",
    load=Load(rate=150, baseline_s=4, shake_s=16, recover_s=8),
    timeline=(At(1, 7, Kill("worker-1")), At(11, 14, Kill("worker"))),
    settings={"lease_s": 3, "health_grace_s": 3},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        HealthHonest(),
        LatencyBudget(acknowledged_within_s=1, stored_within_s=6),
        RecoversInTime(commit_within_s=4, healthy_within_s=6, backlog_within_s=8),
    ),
)
