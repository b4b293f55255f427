"""Processes start while what they need is not there."""

from shaketable.checks import (
    ContentIntact,
    IntakeSurvives,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
)
from shaketable.faults import Down, Restart
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="All processes start while Redis is away, later while Postgres is: each waits for it, nothing is lost.",
    load=Load(rate=100, baseline_s=4, shake_s=22, recover_s=8),
    timeline=(
        At(0.5, 8.5, Down("redis", mode="refused")),
        At(1, 6, Restart("intake", mode="kill")),
        At(2.5, 8, Restart("worker", mode="kill")),
        At(10, 20, Down("postgres", mode="refused")),
        At(11, 18, Restart("worker", mode="kill")),
        At(14, 19, Restart("intake", mode="kill")),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 3,
        "open_within_s": 6,
        "health_grace_s": 2,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        IntakeSurvives(),
        RecoversInTime(commit_within_s=6, closed_within_s=8, healthy_within_s=8, backlog_within_s=12),
    ),
)
