"""One failure leads to the next."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import Down, Kill, Latency
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Postgres slows down, a backlog grows, a worker dies of it, Redis is cut off, Postgres goes: all comes back.",
    load=Load(rate=150, baseline_s=4, shake_s=22, recover_s=8),
    timeline=(
        At(0.5, 13, Latency("postgres", ms=400)),
        At(4, 10, Kill("worker-1")),
        At(7, 11, Down("redis")),
        At(13, 20, Down("postgres")),
        At(16, 21, Kill("worker")),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "retry_cap_s": 1,
        "lease_s": 4,
        "open_within_s": 6,
        "health_grace_s": 2,
    },
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        BreakerBehaves(),
        RecoversInTime(commit_within_s=5, closed_within_s=5, healthy_within_s=8, backlog_within_s=12),
    ),
)
