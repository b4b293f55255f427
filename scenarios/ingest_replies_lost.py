"""What the intake has accepted, without the clients hearing of it."""

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
from shaketable.faults import Silence
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Twice the intake's answers are lost on the way: clients send all again, and each event is stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=8),
    timeline=tuple(At(at, at + 4, Silence("ingest", direction="answers")) for at in (1, 9)),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        HealthHonest(),
        LatencyBudget(),
        RecoversInTime(commit_within_s=3, healthy_within_s=4, backlog_within_s=4),
    ),
)
