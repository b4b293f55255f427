"""A long outage, with everything as it comes: no setting is made quicker for the test."""

from shaketable.checks import (
    BreakerBehaves,
    ContentIntact,
    HealthHonest,
    IntakeSurvives,
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
    story="Postgres is away for 100 s under the default settings (5 failures, 30 s, 5 retries): nothing is lost.",
    load=Load(rate=60, baseline_s=10, shake_s=105, recover_s=75),
    timeline=(At(2, 102, Down("postgres")),),
    checks=(
        NoLoss(),
        NoDuplicates(),
        NothingInvented(),
        OrderKept(),
        ContentIntact(),
        IntakeSurvives(),
        BreakerBehaves(),
        HealthHonest(),
        RecoversInTime(),
    ),
    resend_for_s=120,
    drain_s=60,
    nightly=True,
)
