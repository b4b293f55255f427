"""The queue's server answers only once a second."""

from shaketable.checks import (
    ContentIntact,
    HealthHonest,
    NoDuplicates,
    NoLoss,
    NothingInvented,
    OrderKept,
    RecoversInTime,
    RefusesRightly,
)
from shaketable.faults import ClientPause, KillClients
from shaketable.faults.timeline import At
from shaketable.load.schedule import Load
from shaketable.runner.scenario import Scenario

SCENARIO = Scenario(
    story="Valkey pauses for a second at a time, then ends all connections 3 times: what it took is stored once.",
    load=Load(rate=120, baseline_s=3, shake_s=15, recover_s=7),
    timeline=(At(1, 8, ClientPause()), At(11, 14, KillClients(every_s=1))),
    settings={"lease_s": 3, "health_grace_s": 2},
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        RefusesRightly(),
        HealthHonest(),
        RecoversInTime(commit_within_s=3, healthy_within_s=3, backlog_within_s=8),
    ),
)
