"""A long outage, with everything as it comes: no setting is made quicker for the test."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Postgres is unavailable for 100 s with default settings (5 failures, 30 s, 5 retries): nothing is lost.",
    load=Load(rate=60, baseline_s=10, shake_s=105, recover_s=75),
    timeline=(At(2, 102, faults.Down("postgres")),),
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.HealthHonest(),
        checks.RecoversInTime(),
        checks.RetriesBounded(),
    ),
    resend_for_s=120,
    drain_s=60,
    nightly=True,
)
