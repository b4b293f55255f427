"""One worker of two loses the store; the other does not."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    HealthHonest,
    Isolated,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
)
from shaketable.faults import Down
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="One worker of two is cut off from Postgres for 14 s: its breaker opens, the other takes its lanes over.",
    load=Load(rate=120, baseline_s=3, shake_s=16, recover_s=7),
    timeline=(At(1, 15, Down("postgres", process="worker-2")),),
    settings={"breaker_recovery_s": 2, "retry_base_s": 0.2, "retry_cap_s": 1, "lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        BreakerBehaves(),
        HealthHonest(),
        Isolated(),
        RecoversInTime(commit_within_s=2, closed_within_s=4, healthy_within_s=5, backlog_within_s=5),
    ),
)
