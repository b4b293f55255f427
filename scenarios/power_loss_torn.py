"""Each server loses power as in power_loss, but a part of the unsynced pages was written before."""

from shaketable import At, Load, Scenario, checks, faults

SCENARIO = Scenario(
    story="Valkey and Postgres lose power: about half of their unsynced pages stay, and no acknowledged event is lost.",
    load=Load(rate=120, baseline_s=3, shake_s=17, recover_s=6),
    timeline=(
        At(2, 6, faults.PowerLoss("redis", torn=True)),
        At(11, 15, faults.PowerLoss("postgres", torn=True, seed=2)),
    ),
    settings={
        "breaker_recovery_s": 2,
        "retry_base_s": 0.2,
        "lease_s": 3,
        "open_within_s": 3,
        "health_grace_s": 1,
    },
    checks=(
        checks.NoLoss(),
        checks.NoDuplicates(),
        checks.NothingInvented(),
        checks.OrderKept(),
        checks.ContentIntact(),
        checks.RefusesRightly(),
        checks.IntakeSurvives(),
        checks.BreakerBehaves(),
        checks.RecoversInTime(),
    ),
    nightly=True,
)
