"""What is stored, without the worker hearing of it."""

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
from shaketable.faults import CommitReplyLost
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Each second a COMMIT succeeds and its reply is lost: the batch is offered again, and stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=6),
    timeline=(At(1, 14, CommitReplyLost(every_s=1)),),
    settings={"breaker_recovery_s": 1, "retry_base_s": 0.2, "retry_cap_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        HealthHonest(),
        LatencyBudget(),
        RecoversInTime(commit_within_s=3, closed_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
